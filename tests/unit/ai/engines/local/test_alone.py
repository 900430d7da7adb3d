"""A line is judged by whether it says itself what it is about."""

import pytest

from tidings.ai.engines.local.alone import LEANING, POINTING, standing_alone


@pytest.mark.parametrize(
    "words",
    [
        "we want one order book for all three regions",
        "it is important that the stores trust the numbers",
        "it takes us three days to close the books",
        "it would be better to start with one depot",
        "this year we have three depots",
        "that is the biggest problem with the offer",
        "if we do not have the data by may we lose a year",
        "those who order by phone pay more",
        "that we order by phone costs a lot",
    ],
)
def test_it_stands_alone(words):
    assert standing_alone(words) == 1.0


@pytest.mark.parametrize(
    "words",
    [
        "it should be the phone in their pocket and it should be obvious",
        "they have got label printers from the stone age",
        "if they cross their arms that night it will fail",
        "this is what i want for next year",
        "i think he is right about the price",
        "these are all too expensive for us",
    ],
)
def test_it_leans_on_what_was_said_before(words):
    assert standing_alone(words) == LEANING


def test_what_is_announced_is_told_by_what_follows():
    words = "so this is what i want for next year store managers order from a phone"
    assert standing_alone(words, announces=True) == 1.0
    assert standing_alone(words) == LEANING


def test_it_points_back_and_yet_says_at_what():
    assert standing_alone("if that number does not go down we lose") == POINTING
