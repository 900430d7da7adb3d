"""The readings of a company's meetings become one bounded, sourced draft."""

import random
import time
from datetime import UTC, datetime, timedelta

import pytest

from tidings.ai.engines.local import (
    Draft,
    MeetingReading,
    Reading,
    Utterance,
    read_meeting,
    reduce_meetings,
)
from tidings.ai.engines.local.overview import SENTENCES
from tidings.ai.engines.local.reduce import SHOWN
from tidings.ai.engines.local.themes import SHOWN as THEMES_SHOWN

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
LISTS = ("goals", "challenges", "risks", "recommendations", "decisions")
GOAL = "We want to replace our three ordering systems before September."
SAME_GOAL = "So we want to replace the three ordering systems before this September."
THINGS = (
    "order book", "stock count", "price list", "depot screen", "item code", "pallet move",
    "phone line",
)  # fmt: skip


def meeting(number: int, *lines: str) -> MeetingReading:
    said = [Utterance(f"m{number}s{i}", "Bo", line) for i, line in enumerate(lines)]
    at = START + timedelta(days=number)
    return MeetingReading(f"m{number}", at, f"Meeting {number}", read_meeting(said))


def about(number: int, thing: str) -> MeetingReading:
    return meeting(
        number,
        f"We want to have one {thing} for all the stores in region {number}.",
        f"The problem is that the {thing} is never right when the stores open.",
        f"Our biggest worry is that the {thing} fails in the week before Christmas.",
        f"I'd suggest that we try the new {thing} in five stores first.",
        f"We've decided to keep the old {thing} until the spring.",
        f"I'll send you the plan for the {thing} by Friday.",
        f"The {thing} has three hundred lines, and every {thing} is different.",
    )


def many(count: int) -> list[MeetingReading]:
    return [about(i, THINGS[i % len(THINGS)]) for i in range(count)]


def test_no_meetings_give_an_empty_draft():
    assert reduce_meetings([]) == Draft()


def test_one_meeting_is_enough():
    draft = reduce_meetings([about(0, "order book")])
    assert [len(getattr(draft, name)) for name in LISTS] == [1] * 5
    assert draft.themes[0].topic == "order book"
    assert draft.themes[0].mentions == 7
    assert 2 <= len(draft.overview) <= SENTENCES


@pytest.mark.parametrize("count", [2, 14, 80])
def test_lists_are_bounded_and_sourced(count):
    meetings = many(count)
    draft = reduce_meetings(meetings)
    assert len(draft.themes) <= THEMES_SHOWN
    assert 2 <= len(draft.overview) <= SENTENCES
    for name in LISTS:
        items = getattr(draft, name)
        assert 0 < len(items) <= SHOWN
        for item in items:
            assert item.text == item.quote == item.evidence[0].quote
            assert item.segment_id.startswith(item.meeting_id)


def test_near_duplicates_are_one_line_with_all_their_places():
    draft = reduce_meetings([meeting(0, GOAL), meeting(1, SAME_GOAL), meeting(2, GOAL)])
    (goal,) = draft.goals
    assert {e.meeting_id for e in goal.evidence} == {"m0", "m1", "m2"}


def test_the_newer_of_two_equals_goes_first():
    old = meeting(0, "We want to replace the scanners in the north.")
    new = meeting(90, "We want to repaint the lorries in the south.")
    assert [g.meeting_id for g in reduce_meetings([old, new]).goals] == ["m90", "m0"]


def test_one_long_meeting_does_not_fill_the_list():
    lines = [f"We want to replace the {thing} in the stores." for thing in THINGS]
    loud = meeting(1, *lines, *lines)
    quiet = meeting(0, "We want to bring the drivers home an hour earlier on Fridays.")
    assert "m0" in {g.meeting_id for g in reduce_meetings([loud, quiet]).goals[:3]}


def test_themes_count_the_segments_of_all_meetings():
    draft = reduce_meetings([about(0, "order book"), about(1, "order book")])
    theme = draft.themes[0]
    assert (theme.topic, theme.mentions) == ("order book", 14)
    assert {e.meeting_id for e in theme.evidence} == {"m0", "m1"}
    assert all("order book" in e.quote for e in theme.evidence)


def test_no_theme_is_part_of_another():
    topics = [set(t.topic.split()) for t in reduce_meetings(many(14)).themes]
    assert all(not (a < b) for a in topics for b in topics)


def test_an_unsupported_meeting_adds_nothing():
    foreign = MeetingReading("x", START, "", Reading(supported=False, language="cy"))
    draft = reduce_meetings([foreign, meeting(0, GOAL)])
    assert draft.goals == reduce_meetings([meeting(0, GOAL)]).goals


def test_the_order_of_the_meetings_does_not_matter():
    meetings = many(20)
    shuffled = random.Random(3).sample(meetings, len(meetings))
    assert reduce_meetings(meetings) == reduce_meetings(shuffled)


def test_five_hundred_meetings_reduce_in_seconds():
    meetings = many(500)
    began = time.process_time()
    draft = reduce_meetings(meetings)
    assert time.process_time() - began < 12
    assert len(draft.goals) == SHOWN
