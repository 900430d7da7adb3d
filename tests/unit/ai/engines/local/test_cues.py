"""What a clause is, by its cues; one example a line, as people say it."""

import pytest

from tidings.ai.engines.local.clauses import clauses
from tidings.ai.engines.local.cues import state, strengths


def kinds(text: str) -> set[str]:
    (clause,) = clauses(text)
    return set(strengths(clause.words))


def told(text: str) -> float:
    (clause,) = clauses(text)
    return state(clause.words)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("goal", "We want to replace our three ordering systems before September."),
        ("goal", "The main goal for this year is one order book."),
        ("goal", "It has to be trendy and easy to use."),
        ("goal", "Our priority is to get supplies to the stores."),
        ("goal", "What we want is to halve the phone calls."),
        ("goal", "We are committed to a fair price."),
        ("goal", "I want suppliers to send us one price list."),
        ("goal", "I need one cut-off time for all stores."),
        ("goal", "I'd like to get the wrong lines below one per cent."),
        ("goal", "The goal stays below one per cent."),
        ("goal", "We have to make sure that every store can order."),
        ("challenge", "The problem is that people lose their remote."),
        ("challenge", "It takes us three days to close the books."),
        ("challenge", "We don't have enough drivers in the north."),
        ("challenge", "Our stores struggle with the manual count."),
        ("challenge", "The app doesn't work in the chiller."),
        ("challenge", "Nobody owns the supplier data."),
        ("challenge", "None of them knows that the other two exist."),
        ("challenge", "The room isn't fit for a system like that."),
        ("challenge", "The system only knows one date per pallet."),
        ("challenge", "The line is so weak that the screen takes a minute."),
        ("challenge", "Half the time I'm sending people to empty slots."),
        ("challenge", "They count the stock by hand every Friday."),
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
        ("decision", "Then I've decided: we go on the night of the seventh."),
        ("decision", "From my side the price is settled."),
        ("decision", "And Wanda decides the conflicts."),
        ("decision", "I decide on this project from now on."),
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
        "Calls by the clerks, sixty-two a day, the goal was eighty.",
        "We've worked to make sure that the loans are there.",
        "They are working diligently to make sure the banks know.",
        "It's very important to our economy.",
        "I want to say that the stores are nice.",
        "I'd rather know it now.",
        "Nobody has to own a supplier as a whole.",
        "As far as research is concerned, it's bright.",
        "They can go on, even if they have decided that.",
        "We're keeping a close eye on the stores.",
        "I see patients two days a week.",
    ],
)
def test_what_is_denied_or_only_hinted_at_is_nothing(text):
    assert kinds(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "All the stores are in one order book since the eighth of November.",
        "The hourly export is now stable.",
        "The pilot is live in the valley.",
        "Corvane isn't needed any more.",
        "Calls are down from two hundred a day to ninety-six.",
        "We've finished the count in the north.",
        "So far nine stores have a box.",
    ],
)
def test_where_things_stand_is_told(text):
    assert told(text) >= 2


@pytest.mark.parametrize(
    "text", ["If the order book is live we can begin.", "The stores want a bigger screen."]
)
def test_a_supposition_or_a_wish_is_no_state(text):
    assert told(text) == 0


def test_a_second_cue_adds_a_little():
    (one,) = clauses("We want to replace the order book.")
    (two,) = clauses("We want to replace the order book before September.")
    assert strengths(one.words)["goal"] < strengths(two.words)["goal"] < 4
