"""Questions, courtesies and the running of the meeting are known as such."""

import pytest

from tidings.ai.engines.local.guards import doubt, is_question, runs_meeting


@pytest.mark.parametrize(
    "text",
    [
        "do you want the small one",
        "so what is the problem",
        "why would we do that",
        "can i ask",
        "i am just wondering how that differs",
        "if you do not have the data how can you be sure",
    ],
)
def test_a_question_needs_no_question_mark(text):
    assert is_question(text, "")


def test_a_question_mark_is_enough():
    assert is_question("you want the small one", "?")


@pytest.mark.parametrize(
    "text", ["what we want is one order book", "can openers sell well", "i can"]
)
def test_a_statement_is_no_question(text):
    assert not is_question(text, ".")


@pytest.mark.parametrize(
    "text",
    [
        "next slide",
        "can you hear me",
        "let us start the meeting",
        "good morning everyone",
        "we have ten minutes for this problem",
        "thank you for the goal",
        "a last question about the risk",
        "just to be clear the price is fixed",
        "go ahead please",
        "let us go on",
    ],
)
def test_running_the_meeting_is_told(text):
    assert runs_meeting(text)


@pytest.mark.parametrize(
    "text",
    [
        "our goal is one order book",
        "the stores close on sunday",
        "we go ahead with the search",
        "we go on the night of the seventh",
    ],
)
def test_the_matter_itself_is_not_running_the_meeting(text):
    assert not runs_meeting(text)


def test_doubt_adds_up():
    assert doubt("the price is too high") == 1.0
    supposed = doubt("imagine the price is too high")
    assert supposed < 1
    assert doubt("imagine the price of lunch is a joke") < supposed
