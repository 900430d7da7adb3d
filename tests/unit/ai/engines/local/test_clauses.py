"""Speech is cut into clauses that keep their exact place in the source."""

import pytest

from tidings.ai.engines.local.clauses import LONGEST, clauses, complete


def quotes(text: str) -> list[str]:
    return [text[c.start : c.end] for c in clauses(text)]


def words(text: str) -> list[str]:
    return [" ".join(c.words) for c in clauses(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We pay too much. Orders get lost!", ["We pay too much.", "Orders get lost!"]),
        ("Um so , we should use rubber .", ["we should use rubber"]),
        ("Okay, right, we want one system.", ["we want one system."]),
        ("I mean we need a bigger screen, you know.", ["we need a bigger screen"]),
        ("No, it won't cause a delay here.", ["it won't cause a delay here."]),
        ("No parent should have to wait.", ["No parent should have to wait."]),
        ("Because we want fewer calls.", ["we want fewer calls."]),
        ("Mr. Godin asked Dr. Hall about 7.6 per cent.", None),
        ("It works in Node.js and on example.com too.", None),
        ("So that the stores can order.", None),
        ("So we want one system.", ["So we want one system."]),
        ("But the stores count by hand.", ["But the stores count by hand."]),
        ("So, we want one system.", ["we want one system."]),
        ("So um we want one system.", ["we want one system."]),
        ("Well, so we want one system.", ["we want one system."]),
        ("so we want one system.", ["we want one system."]),
        ("first line\nsecond line", ["first line", "second line"]),
        (
            "the remote costs too much.We need less.",
            ["the remote costs too much.", "We need less."],
        ),
    ],
)
def test_quotes_start_and_end_where_the_sense_does(text, expected):
    assert quotes(text) == ([text] if expected is None else expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("it 's what we 'll do", "it is what we will do"),
        ("We're gonna see, it can't wait", "we are going to see it can not wait"),
        ("let 's say the client's data isn't ours", "let us say the client's data is not ours"),
        ("let's go, I dunno", "let us go i do not know"),
        ("they don 't and won 't pay", "they do not and will not pay"),
        ("the T_V_ screen", "the tv screen"),
        ("I I I would use use uh the bu button", "i would use the button"),
        ("’s a fun gimmick", "a fun gimmick"),
        ("you must 've seen it", "you must have seen it"),
        ("you can 't see Anna 's screen", "you can not see anna's screen"),
    ],
)
def test_words_are_written_out(text, expected):
    assert words(text) == [expected]


def test_marks_of_the_transcriber_end_a_clause():
    found = clauses("we want to {disfmarker} the case is too big {vocalsound} and heavy @ so")
    assert [" ".join(c.words) for c in found] == [
        "we want to",
        "the case is too big",
        "and heavy",
        "so",
    ]
    assert [c.end_mark for c in found] == ["~", "", "~", ""]
    assert not complete(found[0])
    assert complete(found[1])


def test_a_dash_before_the_full_stop_means_that_the_speaker_broke_off():
    (clause,) = clauses("The issue that we have with the—.")
    assert not complete(clause)


def test_a_comma_is_noted_before_the_word_it_precedes():
    (clause,) = clauses("if it slips, we lose a year -- all of it")
    assert clause.commas == [3, 7]


def test_a_comma_at_the_end_is_the_end_mark():
    (clause,) = clauses("the old system loses orders ,")
    assert clause.end_mark == ","
    assert complete(clause)


def test_a_long_sentence_is_cut_at_its_joints():
    text = (
        "We have thought about the three regions for a long time with everybody who works there, "
        "and we have found that the stores in the north count their stock twice a week by hand, "
        "so we are going to give them the same screen that the depots in the south already have."
    )
    found = quotes(text)
    assert len(found) == 3
    assert found[1].startswith("we have found")
    assert found[2].startswith("we are going")
    assert all(len(q.split()) <= LONGEST for q in found)


def test_an_aside_stays_with_its_joint():
    text = (
        "My biggest fear is that a store which is already short of people has nobody to count, "
        "but, having been one of them myself for years and years, I think that they will manage "
        "because they always have managed somehow in the end."
    )
    assert quotes(text)[0].endswith("nobody to count")


def test_text_without_any_mark_is_cut_too():
    found = clauses("one more word " * 200)
    assert len(found) > 10
    assert all(len(c.words) <= LONGEST for c in found)


def test_what_is_too_long_to_be_a_word_is_left_out():
    assert words("the " + "x" * 61 + " screen") == ["the screen"]


@pytest.mark.parametrize("text", ["", "   ", "...", "?!", "{vocalsound}", ", , ;", "- -", "'s"])
def test_nothing_said_gives_no_clause(text):
    assert clauses(text) == []
