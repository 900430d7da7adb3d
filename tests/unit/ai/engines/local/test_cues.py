"""What a clause is, by its cues; one example a line, as people say it."""

import pytest

from tidings.ai.engines.local.clauses import clauses
from tidings.ai.engines.local.cues import strengths


def kinds(text: str) -> set[str]:
    (clause,) = clauses(text)
    return set(strengths(clause.words))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("goal", "We want to replace our three ordering systems before September."),
        ("goal", "The main goal for this year is one order book."),
        ("goal", "It has to be trendy and easy to use."),
        ("goal", "Our priority is to get supplies to the stores."),
        ("goal", "What we want is to halve the phone calls."),
        ("goal", "We are committed to a fair price."),
        ("challenge", "The problem is that people lose their remote."),
        ("challenge", "It takes us three days to close the books."),
        ("challenge", "We don't have enough drivers in the north."),
        ("challenge", "Our stores struggle with the manual count."),
        ("challenge", "The app doesn't work in the chiller."),
        ("challenge", "Nobody owns the supplier data."),
        ("risk", "It might be too expensive for the market."),
        ("risk", "Our biggest worry is the switch in December."),
        ("risk", "If we don't have the data by May, the switch will slip."),
        ("risk", "I'm worried that the stores won't trust the numbers."),
        ("risk", "There is a real risk that the bank changes its mind."),
        ("recommendation", "I think we should use rubber for the case."),
        ("recommendation", "I'd suggest a trial load in June."),
        ("recommendation", "It would be better to start with one depot."),
        ("recommendation", "Maybe we could put a light on the button."),
        ("recommendation", "Why don't we count the fast items by hand?"),
        ("decision", "We've decided on the yellow case."),
        ("decision", "We'll go with the small variant."),
        ("decision", "So that's agreed for all three regions."),
        ("action", "I'll send you the offer on Friday."),
        ("action", "I'm going to look into the export."),
        ("action", "Send the updated offer by Friday."),
    ],
)
def test_a_kind_is_told_by_how_it_is_said(kind, text):
    assert kind in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "That's not a problem for us at all.",
        "There is no risk in that for the stores.",
        "I don't think we should use rubber for the case.",
        "I'm not saying that the main problem is the price.",
        "We never decided on the yellow case.",
        "The weather was lovely all week.",
        "Maybe you should have come to the depot last night.",
        "They work very hard to keep the shelves full.",
        "By the end of the year there are three depots.",
    ],
)
def test_what_is_denied_or_only_hinted_at_is_nothing(text):
    assert kinds(text) == set()


def test_a_second_cue_adds_a_little():
    (one,) = clauses("We want to replace the order book.")
    (two,) = clauses("We want to replace the order book before September.")
    assert strengths(one.words)["goal"] < strengths(two.words)["goal"] < 4
