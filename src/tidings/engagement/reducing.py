"""From the readings of all meetings to one draft: by the local engine, or by a provider."""

from collections.abc import Sequence

import msgspec
from pydantic import BaseModel, Field

from tidings.ai.engines.local import Draft, MeetingReading, reduce_meetings
from tidings.ai.engines.local.reading import Evidence, Finding, Item, Theme
from tidings.ai.operation import Operation
from tidings.ai.prompts import load_prompt
from tidings.engagement.reading import LOCAL_VERSION

MOST_FINDINGS = 400
"""Findings handed to a provider's reduction: the best of each meeting in turn, then the second…"""
MOST_MEETINGS = 1200
"""Beyond `MOST_FINDINGS` meetings one finding of each is handed over, of so many of the newest."""
MOST_TOPICS = 40


class ReducedLine(BaseModel):
    """One line and the numbers of the findings it rests on."""

    text: str = Field(min_length=1, max_length=500)
    sources: list[int] = Field(min_length=1, max_length=20)


class ReducedTheme(BaseModel):
    """A theme: its name and the numbers of the topics it joins."""

    name: str = Field(min_length=1, max_length=80)
    topics: list[int] = Field(min_length=1, max_length=20)


class ReducedAnswer(BaseModel):
    """What a provider answers for all meetings; an object that says nothing is no answer."""

    overview: list[ReducedLine] = Field(max_length=4)
    goals: list[ReducedLine] = Field(default_factory=list, max_length=8)
    challenges: list[ReducedLine] = Field(default_factory=list, max_length=8)
    risks: list[ReducedLine] = Field(default_factory=list, max_length=8)
    recommendations: list[ReducedLine] = Field(default_factory=list, max_length=8)
    decisions: list[ReducedLine] = Field(default_factory=list, max_length=12)
    themes: list[ReducedTheme] = Field(default_factory=list, max_length=10)


class _Found(msgspec.Struct, frozen=True):
    meeting: MeetingReading
    finding: Finding


class _Topic(msgspec.Struct, frozen=True):
    topic: str
    segments: frozenset[tuple[str, int]]
    evidence: tuple[Evidence, ...]

    @property
    def mentions(self) -> int:
        """The distinct segments, of all meetings, that are about it."""
        return len(self.segments)


def numbered_findings(readings: Sequence[MeetingReading]) -> list[_Found]:
    """The findings in the order they are numbered: by meeting, oldest first, bounded fairly."""
    heard = [m for m in readings if m.reading.findings]
    oldest_first = sorted(heard, key=lambda m: (m.at, m.meeting_id))[-MOST_MEETINGS:]
    ranked = [sorted(m.reading.findings, key=lambda f: -f.score) for m in oldest_first]
    room = max(MOST_FINDINGS, len(ranked))
    shares = [0] * len(ranked)
    for rank in range(max(map(len, ranked), default=0)):
        # Newest first: where the room ends within a rank, the older meetings go without.
        for place in reversed(range(len(ranked))):
            if room and rank < len(ranked[place]):
                shares[place] += 1
                room -= 1
    return [
        _Found(meeting, finding)
        for meeting, findings, share in zip(oldest_first, ranked, shares, strict=True)
        for finding in findings[:share]
    ]


def numbered_topics(readings: Sequence[MeetingReading]) -> list[_Topic]:
    """The topics of all meetings, joined by name, most mentioned first."""
    joined: dict[str, list[_Topic]] = {}
    for meeting in sorted(readings, key=lambda m: (m.at, m.meeting_id)):
        for phrase in meeting.reading.phrases:
            evidence = tuple(
                Evidence(meeting.meeting_id, m.segment_id, m.quote) for m in phrase.mentions
            )
            segments = frozenset((meeting.meeting_id, place) for place in phrase.segments)
            joined.setdefault(phrase.key, []).append(_Topic(phrase.topic, segments, evidence))
    topics = [
        _Topic(same[0].topic, _all_segments(same), tuple(e for t in same for e in t.evidence))
        for same in joined.values()
    ]
    return sorted(topics, key=lambda t: (-t.mentions, t.topic))[:MOST_TOPICS]


def _all_segments(topics: Sequence[_Topic]) -> frozenset[tuple[str, int]]:
    return frozenset().union(*(topic.segments for topic in topics))


def _local(readings: Sequence[MeetingReading]) -> Draft:
    return reduce_meetings(readings)


def _render(readings: Sequence[MeetingReading]) -> str:
    findings = [
        f"[{n}] {found.finding.kind}, {found.meeting.at:%Y-%m-%d}: {found.finding.text}"
        for n, found in enumerate(numbered_findings(readings))
    ]
    topics = [
        f"(t{n}) {topic.topic}: {topic.mentions} mentions"
        for n, topic in enumerate(numbered_topics(readings))
    ]
    return "\n".join([*findings, "", *topics])


def _accept(readings: Sequence[MeetingReading], answer: ReducedAnswer) -> Draft:
    findings, topics = numbered_findings(readings), numbered_topics(readings)

    def lines(answered: Sequence[ReducedLine]) -> tuple[Item, ...]:
        return tuple(
            Item(line.text.strip(), 1.0 / (1 + place), _evidence(findings, line.sources))
            for place, line in enumerate(answered)
        )

    return Draft(
        overview=lines(answer.overview),
        themes=tuple(filter(None, (_theme(topics, theme) for theme in answer.themes))),
        goals=lines(answer.goals),
        challenges=lines(answer.challenges),
        risks=lines(answer.risks),
        recommendations=lines(answer.recommendations),
        decisions=lines(answer.decisions),
    )


def _evidence(findings: Sequence[_Found], numbers: Sequence[int]) -> tuple[Evidence, ...]:
    known = [findings[n] for n in dict.fromkeys(numbers) if 0 <= n < len(findings)]
    return tuple(
        Evidence(f.meeting.meeting_id, f.finding.segment_id, f.finding.quote) for f in known
    )


def _theme(topics: Sequence[_Topic], theme: ReducedTheme) -> Theme | None:
    joined = [topics[n] for n in dict.fromkeys(theme.topics) if 0 <= n < len(topics)]
    if not joined:
        return None
    evidence = tuple(dict.fromkeys(e for topic in joined for e in topic.evidence))
    return Theme(theme.name.strip(), len(_all_segments(joined)), evidence)


REDUCE_MEETINGS: Operation[Sequence[MeetingReading], Draft] = Operation(
    name="engagement.reduce_meetings",
    prompt=load_prompt("tidings.engagement", "reduce_meetings"),
    schema=ReducedAnswer,
    local=_local,
    render=_render,
    accept=_accept,
    local_version=LOCAL_VERSION,
)
