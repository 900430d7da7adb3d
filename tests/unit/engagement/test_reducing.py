"""All readings as one question to a provider, and its numbers made evidence again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pydantic
import pytest

from tidings.ai.engines.local import Draft, MeetingReading, Reading
from tidings.ai.engines.local.reading import Evidence, Finding, Mention, Phrase
from tidings.engagement.reducing import (
    MOST_FINDINGS,
    MOST_MEETINGS,
    MOST_TOPICS,
    REDUCE_MEETINGS,
    ReducedAnswer,
    numbered_findings,
    numbered_topics,
)

DAY = datetime(2026, 3, 4, tzinfo=UTC)


def read(number: int, *texts: str, topics: tuple[str, ...] = ()) -> MeetingReading:
    """A meeting of day `number` with goals, the first said best."""
    findings = tuple(
        Finding("goal", text, f"{number}-{n}", text, 1.0 - n / 1000) for n, text in enumerate(texts)
    )
    phrases = tuple(
        Phrase(topic.lower(), topic, 1.0, (0, 1), (Mention(f"{number}-0", topic),))
        for topic in topics
    )
    reading = Reading(True, "en", 2, findings, phrases)
    return MeetingReading(f"m{number}", DAY + timedelta(days=number), "T", reading)


def reduce(readings: list[MeetingReading], **answer: Any) -> Draft:
    filled = ReducedAnswer.model_validate({"overview": [], **answer})
    return REDUCE_MEETINGS.accept(readings, filled)


def test_findings_are_numbered_oldest_meeting_first() -> None:
    readings = [read(2, "late"), read(1, "early", "second"), read(3)]
    assert [f.finding.text for f in numbered_findings(readings)] == ["early", "second", "late"]
    rendered = REDUCE_MEETINGS.render([*readings, read(4, topics=("Dates",))])
    assert rendered.splitlines() == [
        "[0] goal, 2026-03-05: early",
        "[1] goal, 2026-03-05: second",
        "[2] goal, 2026-03-06: late",
        "",
        "(t0) Dates: 2 mentions",
    ]


def test_every_meeting_has_its_share_of_the_findings() -> None:
    readings = [read(n, *(f"{n}.{i}" for i in range(30))) for n in range(100)]
    numbered = numbered_findings(readings)
    assert len(numbered) == MOST_FINDINGS
    assert {f.meeting.meeting_id for f in numbered} == {f"m{n}" for n in range(100)}
    assert [f.finding.text for f in numbered[:4]] == ["0.0", "0.1", "0.2", "0.3"]


def test_even_a_thousand_meetings_are_all_heard() -> None:
    assert len(numbered_findings([read(n, "x", "y") for n in range(1000)])) == 1000


def test_room_goes_round_the_meetings() -> None:
    rich = read(0, *(f"r{n}" for n in range(90)))
    others = [read(n, "a", "b", "c", "d") for n in range(1, 100)]
    numbered = numbered_findings([rich, *others])
    assert len(numbered) == MOST_FINDINGS
    of_rich = [f.finding.text for f in numbered if f.meeting is rich]
    assert of_rich == ["r0", "r1", "r2", "r3"]
    few = numbered_findings([rich, *others[:20]])
    assert len(few) == 90 + 20 * 4


def test_beyond_what_a_prompt_holds_the_newest_are_heard() -> None:
    numbered = numbered_findings([read(n, "x", "y") for n in range(MOST_MEETINGS + 5)])
    assert len(numbered) == MOST_MEETINGS
    assert numbered[0].meeting.meeting_id == "m5"


def test_topics_are_joined_by_name_and_bounded() -> None:
    many = tuple(f"Topic {n}" for n in range(MOST_TOPICS + 5))
    topics = numbered_topics([read(1, topics=many), read(2, topics=("TOPIC 7",))])
    assert len(topics) == MOST_TOPICS
    assert (topics[0].topic, topics[0].mentions) == ("Topic 7", 4)
    assert [e.meeting_id for e in topics[0].evidence] == ["m1", "m2"]


def test_sources_become_evidence() -> None:
    readings = [read(1, "a", "b", topics=("T", "U"))]
    draft = reduce(
        readings,
        overview=[{"text": " Both. ", "sources": [1, 0, 1, 7, -1]}],
        risks=[{"text": "None.", "sources": [9]}],
        themes=[{"name": " Joined ", "topics": [0, 1, 0]}, {"name": "Ghost", "topics": [5]}],
    )
    assert [(i.text, i.evidence) for i in draft.overview] == [
        ("Both.", (Evidence("m1", "1-1", "b"), Evidence("m1", "1-0", "a")))
    ]
    assert [i.evidence for i in draft.risks] == [()]
    assert [(t.topic, t.mentions, len(t.evidence)) for t in draft.themes] == [("Joined", 2, 2)]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"INVALID_JSON": "sorry"},
        {"overview": [{"text": "x", "sources": []}]},
        {"overview": [{"text": "", "sources": [1]}]},
        {"overview": [{"text": "x", "sources": [1]}] * 5},
        {"overview": [], "themes": [{"name": "x", "topics": []}]},
    ],
)
def test_what_is_no_answer(answer: dict[str, Any]) -> None:
    with pytest.raises(pydantic.ValidationError):
        ReducedAnswer.model_validate(answer)
