"""Which message answers which."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tidings.ai.engines.local.replies import reply_links
from tidings.ai.engines.local.utterances import Said

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def talk(*lines: str) -> list[Said]:
    """`speaker|text`, a minute apart."""
    return [
        Said(speaker, text, AT + timedelta(minutes=i))
        for i, (speaker, _, text) in enumerate(line.partition("|") for line in lines)
    ]


def test_who_is_named_is_answered():
    links = reply_links(
        talk(
            "anna|hi, does anyone know how to mount a usb disk?",
            "carl|which release has the new kernel?",
            "ben|anna: look at the disk with fdisk first",
            "Dora Blum|@carl it is in the march release",
            "anna|ben: thanks",
        )
    )
    assert links == [None, None, 0, 1, 2]


def test_first_names_and_notices():
    said = talk("Anna Berg|where is the key?", "Ben|Anna, on the table", "|=== carl has left")
    assert reply_links(said) == [None, 0, None]


def test_nothing_answers_a_notice():
    said = talk("|=== anna has joined", "ben|hi, how do I install the printer?")
    assert reply_links(said) == [None, None]


def test_times_are_not_needed():
    said = [Said("anna", "is the lake cold?"), Said("ben", "anna: yes, very cold")]
    assert reply_links(said) == [None, 0]


def test_far_back_is_reached_by_name():
    said = talk("anna|how do I install the printer?")
    said += talk(*(f"carl|counting sheep, number {i}" for i in range(40)))
    said += talk("ben|anna: install the printer in the settings")
    assert reply_links(said)[-1] == 0


@given(
    st.lists(st.builds(Said, st.sampled_from(["anna", "Ben B", "", "the"]), st.text(max_size=80)))
)
def test_links_go_back(said):
    links = reply_links(said)
    assert len(links) == len(said)
    assert all(link is None or 0 <= link < i for i, link in enumerate(links))
    assert reply_links(said) == links


def test_empty():
    assert reply_links([]) == []
