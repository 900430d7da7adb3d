import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.meetings.formats.said import LONGEST_JOINED, Said, find_label, is_name, utterances


@pytest.mark.parametrize(
    "name",
    [
        *("Ann", "Ann Lee", "J. R. Smith", "Speaker 1", "Ann de Vries", "O'Neil", "Émile Zola"),
        *(
            "Ann (Acme)",
            "PhD D",
            "Tom and Ann",
            "van Dyk",
            "田中",
            "محمد",
            "Chris d'Entremont",
            "Project Manager",
        ),
        "The Chair (Hon. Ann Lee (Minister of Trade, and of several other things, Lib.))",
    ],
)
def test_names(name):
    assert is_name(name)


@pytest.mark.parametrize(
    "label",
    [
        *("Note", "ACTION ITEM", "and then he said", "the thing is", "12", "", "So, what?", "http"),
        *("One Two Three Four Five Six Seven", "a/b", "de", "Ann said"),
    ],
)
def test_not_names(label):
    assert not is_name(label)


@pytest.mark.parametrize(
    ("line", "name", "text", "time"),
    [
        ("Ann: hi", "Ann", "hi", None),
        ("**Ann Lee:** hi", "Ann Lee", "hi", None),
        ("**Ann**: hi", "Ann", "hi", None),
        ("Ann [00:01:02]: hi: you", "Ann", "hi: you", "00:01:02"),
        ("Ann Lee (1:02) : hi", "Ann Lee", "hi", "1:02"),
        ("Ann:", "Ann", "", None),
        ("田中：こんにちは", "田中", "こんにちは", None),
    ],
)
def test_a_label_and_what_follows(line, name, text, time):
    label = find_label(line)
    assert (label.name, label.text, label.time) == (name, text, time)


@pytest.mark.parametrize("line", ["https://a.b", "10:30", "no label", "", ": x", "x" * 130 + ": y"])
def test_no_label(line):
    assert find_label(line) is None


def texts(*said):
    return [(u.speaker_name, u.text, u.at) for u in utterances(said)]


def test_a_sentence_cut_over_cues_is_put_together_verbatim():
    assert texts(
        Said("Ann", "We should", 1.0, 2.0),
        Said("Ann", "look at  the", 2.5, 3.0),
        Said("", "budget.", 3.5, 4.0),
        Said("Ann", "Next week.", 4.0, 5.0),
    ) == [("Ann", "We should look at  the budget.", 1), ("Ann", "Next week.", 4)]


@pytest.mark.parametrize(
    "after",
    [
        Said("Bob", "look", 2.0, 3.0),
        Said("Ann", "look", 4.5, 5.0),
        Said("Ann", "x" * LONGEST_JOINED, 2.0, 3.0),
        Said("Ann", "look"),
    ],
)
def test_another_speaker_a_silence_and_great_length_begin_anew(after):
    assert len(texts(Said("Ann", "We should", 1.0, 2.0), after)) == 2


@pytest.mark.parametrize("end", [".", "?", "!", "…", '."', "。", ".)"])
def test_a_finished_sentence_stays_alone(end):
    assert len(texts(Said("A", f"Yes{end}", 1, 2), Said("A", "No", 2, 3))) == 2


@given(
    st.lists(
        st.builds(
            Said,
            st.sampled_from(["", "Ann", "Bob"]),
            st.sampled_from(["one", "two.", "three?"]),
            st.sampled_from([0.0, 1.0, 9.0]),
            st.sampled_from([1.0, 2.0]),
        )
    )
)
def test_joining_loses_and_adds_no_word(said):
    before = " ".join(one.text for one in said)
    assert " ".join(u.text or "" for u in utterances(said)) == before
