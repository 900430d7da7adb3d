"""Themes of a company: the key phrases of its meetings, merged and ranked."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec

from tidings.ai.engines.local.reading import Evidence, MeetingReading, Theme

SHOWN = 8
EVIDENCE = 12


class _Topic(msgspec.Struct):
    score: float
    mentions: int
    forms: Counter[str]
    evidence: list[Evidence]
    meetings: int


def themes(meetings: Sequence[MeetingReading]) -> tuple[Theme, ...]:
    """The topics that the meetings are about, best first. `meetings` come newest first.

    A phrase counts by how much each meeting is about it and by how many meetings name it.
    """
    topics = _merge(meetings)
    ranked = sorted(topics.items(), key=lambda pair: (-_rank(pair[1]), pair[0]))
    chosen: list[tuple[str, _Topic]] = []
    for key, topic in ranked:
        if len(chosen) == SHOWN:
            break
        if topic.mentions < 2 and chosen and topic.score < 0.5 * chosen[0][1].score:
            continue
        if not any(_overlaps(key, other) for other, _ in chosen):
            chosen.append((key, topic))
    return tuple(theme for _, topic in chosen if (theme := _theme(topic)).evidence)


def topic_weights(meetings: Sequence[MeetingReading]) -> dict[str, float]:
    """What each word of the merged phrases weighs, from 0 to 1, for ranking lines by topic."""
    topics = _merge(meetings)
    weights: defaultdict[str, float] = defaultdict(float)
    best = max((_rank(t) for t in topics.values()), default=1.0) or 1.0
    for key, topic in topics.items():
        for word in key.split():
            weights[word] = max(weights[word], _rank(topic) / best)
    return dict(weights)


def _merge(meetings: Sequence[MeetingReading]) -> dict[str, _Topic]:
    topics: dict[str, _Topic] = {}
    for meeting in meetings:
        for phrase in meeting.reading.phrases:
            topic = topics.get(phrase.key)
            if topic is None:
                topic = topics[phrase.key] = _Topic(0.0, 0, Counter(), [], 0)
            topic.score += phrase.score
            topic.mentions += len(phrase.segments)
            topic.meetings += 1
            topic.forms[phrase.topic] += len(phrase.segments)
            if len(topic.evidence) < 4 * EVIDENCE:
                topic.evidence.extend(
                    Evidence(meeting.meeting_id, m.segment_id, m.quote) for m in phrase.mentions
                )
    return topics


def _rank(topic: _Topic) -> float:
    return topic.score


def _overlaps(key: str, other: str) -> bool:
    mine, theirs = set(key.split()), set(other.split())
    return mine <= theirs or theirs <= mine


def _theme(topic: _Topic) -> Theme:
    name = min(topic.forms, key=lambda form: (-topic.forms[form], form))
    holding = [e for e in topic.evidence if name.lower() in e.quote.lower()]
    return Theme(name, topic.mentions, tuple(holding[:EVIDENCE]))
