"""Quotes against what is stored: verbatim but for white space and quotation marks."""

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from tidings.ai.engines.local import Draft
from tidings.ai.engines.local.reading import Evidence, Item, Theme
from tidings.ai.evidence import is_quoted
from tidings.engagement.record import Unverified
from tidings.engagement.verify import Source, count_quotes, places, standing, verify

MEETING, SEGMENT = str(uuid4()), str(uuid4())
PLACE = (MEETING, SEGMENT)
TEXT = "We said: \u201cship it\u201d  by\u00a0May,\nnot June."

words = st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=60)


def claim(quote: str, segment: str = SEGMENT) -> Evidence:
    return Evidence(MEETING, segment, quote)


def line(text: str, *quotes: str) -> Item:
    return Item(text, 1.0, tuple(claim(quote) for quote in quotes))


def test_white_space_and_marks_do_not_count() -> None:
    for quote in (TEXT, '"ship it" by May', "by May, not June.", " by  May "):
        assert is_quoted(quote, TEXT), quote


def test_everything_else_counts() -> None:
    for quote in ("Ship it", "ship it by June", "by May not June", "shipit", "", "  ", "\u00a0"):
        assert not is_quoted(quote, TEXT), quote


@given(words, st.data())
def test_every_part_of_a_text_is_quoted(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    part = text[start:end]
    assert is_quoted(part, text) or not part.strip() or not part.isascii()


@given(words, words)
def test_what_is_quoted_is_there(quote: str, text: str) -> None:
    if is_quoted(quote, text):
        assert len("".join(quote.split())) <= len("".join(text.split())) or not text.isascii()
    assert not is_quoted(f"{text}x{quote}", text)


def test_a_line_needs_one_quote_that_stands() -> None:
    draft = Draft(
        overview=(line("Fine.", "by May"), line("Invented.", "by July")),
        goals=(line("Half.", "nobody said so", "not June"), line("No source.")),
        themes=(
            Theme("shipping", 3, (claim("ship it"),)),
            Theme("ghosts", 2, (claim("boo"), claim("ship it", str(uuid4())))),
        ),
        risks=(line("Same.", "by May", "not June"),),
    )
    verified = verify(draft, {PLACE: Source(TEXT, "00:01:02", "https://v.example/1?timestamp=62")})
    assert verified.overview == ["Fine."]
    assert verified.goals == ["Half."]
    assert [(t.topic, t.mentions) for t in verified.themes] == [("shipping", 3)]
    assert [len(found) for found in verified.evidence.risks] == [2]
    assert verified.unverified == [
        Unverified("overview", "Invented."),
        Unverified("goals", "No source."),
        Unverified("themes", "ghosts"),
    ]
    assert verified.quotes_checked == count_quotes(draft) == 9
    (found,) = verified.evidence.goals[0]
    assert found.meeting_id == UUID(MEETING)
    assert (found.segment_id, found.at) == (UUID(SEGMENT), "00:01:02")
    assert found.url == "https://v.example/1?timestamp=62"


def test_a_quote_of_the_meetings_own_summary_has_no_segment() -> None:
    (found,) = standing([claim("by May", "")], {(MEETING, ""): Source(TEXT)})
    assert (found.segment_id, found.at, found.url) == (None, None, None)


def test_a_quote_stands_only_where_it_points() -> None:
    assert standing([claim("by May", "")], {PLACE: Source(TEXT)}) == []


def test_places_are_those_of_every_list() -> None:
    lists = ("overview", "goals", "challenges", "risks", "recommendations", "decisions")
    segments = {name: str(uuid4()) for name in (*lists, "themes")}
    draft = Draft(
        themes=(Theme("t", 1, (claim("x", segments["themes"]),)),),
        **{name: (Item("x", 1.0, (claim("x", segments[name]),)),) for name in lists},
    )
    assert places(draft) == {(MEETING, segment) for segment in segments.values()}


@given(st.lists(st.tuples(words, st.booleans()), max_size=12))
def test_every_line_is_kept_or_named_and_none_is_both(lines: list[tuple[str, bool]]) -> None:
    draft = Draft(goals=tuple(line(text, "by May" if real else "boo") for text, real in lines))
    verified = verify(draft, {PLACE: Source(TEXT)})
    assert verified.goals == [text for text, real in lines if real]
    assert [each.text for each in verified.unverified] == [t for t, real in lines if not real]
    assert len(verified.evidence.goals) == len(verified.goals)
    assert all(verified.evidence.goals)
