"""The sentences that sum a conversation up."""

from hypothesis import given
from hypothesis import strategies as st

from tidings.ai.engines.local.extract import pick
from tidings.ai.engines.local.utterances import Said

SAID = [
    Said("Anna", "Hello. The red bicycle has a flat tyre again."),
    Said("Ben", "Oh."),
    Said("Ben", "My brother can repair the bicycle on Sunday."),
    Said("Anna", "Good. Then I bring the bicycle to your brother on Sunday morning."),
    Said("Anna", "The red bicycle has a flat tyre again."),
    Said("Ben", "Yes, do that."),
]


def test_what_comes_back_is_picked_once():
    picked = pick(SAID, 2)
    assert [one.index for one in picked] == sorted(one.index for one in picked)
    assert len(picked) == 2
    assert all("bicycle" in one.text for one in picked)
    assert len({one.text for one in picked}) == 2


def test_nothing_to_pick():
    assert pick([]) == []
    assert pick([Said("Anna", "and so on"), Said("Ben", "")]) == []
    assert pick(SAID, 0) == []
    assert pick(SAID, -1) == []


def test_fewer_than_asked_for():
    assert [one.text for one in pick([Said("Anna", "The lake is cold.")], 9)] == [
        "The lake is cold."
    ]


@given(
    st.lists(st.builds(Said, st.just("a"), st.text(max_size=200)), max_size=6), st.integers(0, 4)
)
def test_word_for_word(said, most):
    picked = pick(said, most)
    assert len(picked) <= most
    assert all(one.text in said[one.index].text and one.score > 0 for one in picked)


def test_a_text_without_an_end():
    assert len(pick([Said("a", "lake " * 100_000)])[0].text) < 1000
