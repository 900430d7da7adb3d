"""Themes are recognisable phrases; a word said everywhere is shown as a phrase that holds it."""

from datetime import UTC, datetime, timedelta

from tidings.ai.engines.local import MeetingReading, Theme, Utterance, read_meeting, reduce_meetings

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
STORES = (
    "The stores are open, and the stock is in the stores.",
    "We saw the stock of the stores in the north.",
    "The stock data is late for the stores.",
)


def meeting(number: int, *lines: str) -> MeetingReading:
    said = [Utterance(f"m{number}s{i}", "Bo", line) for i, line in enumerate(lines)]
    return MeetingReading(f"m{number}", START + timedelta(days=number), "", read_meeting(said))


def themes(*meetings: MeetingReading) -> dict[str, Theme]:
    return {theme.topic: theme for theme in reduce_meetings(meetings).themes}


def test_a_word_said_everywhere_is_shown_as_a_phrase():
    found = themes(*(meeting(n, *STORES) for n in range(4)))
    assert "stock data" in found
    assert "stock" not in found
    assert list(found).index("stock data") < list(found).index("stores")


def test_in_one_meeting_a_word_said_often_is_a_theme():
    found = themes(meeting(0, *STORES, "The stores wait for the lorry.", "I like the stores."))
    assert "stores" in found


def test_what_is_said_once_in_each_of_many_meetings_is_a_theme():
    once = "The penetration test is due."
    found = themes(*(meeting(n, once, "The lorries leave the yard early.") for n in range(4)))
    assert found["penetration test"].mentions == 4
    assert {e.meeting_id for e in found["penetration test"].evidence} == {"m0", "m1", "m2", "m3"}


def test_phrases_that_share_a_telling_word_are_one_theme():
    lines = ("The stock data is late.", "The stock data is wrong.", "The stock figure is old.")
    found = themes(*(meeting(n, *lines) for n in range(3)))
    assert "stock data" in found
    assert "stock figure" not in found


def test_a_post_is_less_of_a_theme_than_a_thing():
    lines = ("The finance director sees the supplier data.", "A finance director, a supplier data.")
    found = themes(*(meeting(n, *lines) for n in range(3)))
    assert next(iter(found)) == "supplier data"


def test_mentions_are_the_distinct_segments_and_every_quote_holds_the_topic():
    line = "The stock data is late, and the stock data is wrong in the stores."
    theme = themes(*(meeting(n, line, *STORES) for n in range(3)))["stock data"]
    assert theme.mentions == 6
    assert all("stock data" in e.quote.lower() for e in theme.evidence)


def test_a_quote_that_says_something_comes_before_one_that_only_names():
    found = themes(
        meeting(0, "The supplier data is wrong in all the depots, and the supplier data is old."),
        meeting(1, "The supplier data."),
    )
    assert found["supplier data"].evidence[0].meeting_id == "m0"
