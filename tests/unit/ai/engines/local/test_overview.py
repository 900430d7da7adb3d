"""The overview tells a story of several meetings, and covers the topics of one."""

from datetime import UTC, datetime, timedelta

from tidings.ai.engines.local import MeetingReading, Utterance, read_meeting, reduce_meetings
from tidings.ai.engines.local.overview import LONGEST, SENTENCES

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
GOAL = "We want one order book for all the stores before the catalogue closes."
OBSTACLE = "The problem is that nobody owns the supplier data of the depots."
DECISION = "We've decided to give the stores one cut-off at half past four."
STATE = "All the stores in the north are in the order book since November."
OLD_STATE = "The scanners of the depots are now ready for the order book."
LONG = (
    "The order book and the stores and the depots and the supplier data and the catalogue and the "
    "scanners and the lorries and the pallets and the labels and the printers and the invoices and "
    "the clerks and the phones are what the order book is about."
)


def meeting(number: int, *lines: str) -> MeetingReading:
    said = [Utterance(f"m{number}s{i}", "Bo", line) for i, line in enumerate(lines)]
    return MeetingReading(f"m{number}", START + timedelta(days=number), "", read_meeting(said))


def overview(*meetings: MeetingReading) -> list[str]:
    return [item.text for item in reduce_meetings(meetings).overview]


def test_it_tells_what_is_wanted_what_is_in_the_way_what_was_decided_and_how_far_it_is():
    told = overview(
        meeting(0, GOAL, OLD_STATE, "The stores order by phone."),
        meeting(1, OBSTACLE, "The depots keep the order book in three systems."),
        meeting(2, DECISION, "The stores like the order book."),
        meeting(3, STATE, "The clerks ring the stores less often."),
    )
    assert told == [GOAL, OBSTACLE, DECISION, STATE]


def test_the_state_is_the_latest():
    told = overview(meeting(0, GOAL, OLD_STATE), *(meeting(n, DECISION) for n in range(1, 5)))
    later = overview(meeting(0, GOAL, OLD_STATE), meeting(1, DECISION), meeting(9, STATE))
    assert OLD_STATE in told
    assert STATE in later
    assert OLD_STATE not in later


def test_no_sentence_leans_on_another_or_starts_in_the_middle():
    told = overview(
        meeting(0, "They want to replace it with one order book for all the stores.", GOAL),
        meeting(1, "and we want the order book to hold the stock of the stores", DECISION),
        meeting(2, f"It's live in the north. {STATE}"),
    )
    assert told[:3] == [GOAL, DECISION, STATE]


def test_no_two_sentences_say_the_same():
    twice = "We want one order book for all of the stores before this catalogue closes."
    told = overview(meeting(0, GOAL, OBSTACLE), meeting(1, twice, DECISION), meeting(2, STATE))
    assert len({GOAL, twice} & set(told)) == 1


def test_a_long_sentence_is_left_out():
    told = overview(meeting(0, LONG, GOAL, OBSTACLE, STATE))
    assert all(len(text.split()) <= LONGEST for text in told)
    assert GOAL in told


def test_what_nobody_said_is_made_up_for_by_what_covers_most():
    told = overview(
        meeting(0, GOAL, "The depots count the pallets and the lorries on Fridays."),
        meeting(1, "The printers in the depots cut the labels of the pallets."),
        meeting(2, "The clerks in the valley ring the owners every afternoon."),
    )
    assert told[0] == GOAL
    assert 2 < len(told) <= SENTENCES


def test_one_meeting_is_covered_by_what_it_is_about():
    told = overview(
        meeting(
            0,
            "The printers in the depots cut the labels of the pallets.",
            "The printers cut the labels of the pallets in depots.",
            "The clerks in the valley ring the owners every afternoon.",
            "The scanners of the drivers fail in the cold chambers.",
            "We saw a film.",
        )
    )
    assert len(told) == 3
    assert any("clerks" in text for text in told)
    assert any("scanners" in text for text in told)
