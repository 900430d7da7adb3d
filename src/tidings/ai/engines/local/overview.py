"""The overview: two to four sentences, as they were said, that together say what it is about."""

import math
from collections.abc import Sequence

from tidings.ai.engines.local.importance import content
from tidings.ai.engines.local.reading import Evidence, Item, MeetingReading

SENTENCES = 4
_FEWEST = 2
_LEAST = 0.6  # score below which a sentence is not shown, beyond the fewest
_POOL = 120
_Line = tuple[float, int, Item, frozenset[str]]


def overview(newest_first: Sequence[MeetingReading], weights: dict[str, float]) -> tuple[Item, ...]:
    """The sentences that cover most of what the meetings are about, oldest first.

    Greedy coverage: each sentence is worth what its topics still add, so that the second does not
    repeat the first; each meeting already quoted counts less.
    """
    pool = _pool(newest_first, weights)
    chosen: list[_Line] = []
    covered: set[str] = set()
    quoted: dict[str, int] = {}
    while pool and len(chosen) < SENTENCES:
        best = max(pool, key=lambda line: _gain(line, covered, quoted, weights))
        gain = _gain(best, covered, quoted, weights)
        if len(chosen) >= _FEWEST and (gain < 0.15 * chosen[0][0] or best[0] < _LEAST):
            break
        pool.remove(best)
        chosen.append(best)
        covered |= best[3]
        quoted[best[2].meeting_id] = quoted.get(best[2].meeting_id, 0) + 1
    chosen.sort(key=lambda line: (-line[1], -line[0]))
    return tuple(item for _, _, item, _ in chosen)


def _pool(newest_first: Sequence[MeetingReading], weights: dict[str, float]) -> list[_Line]:
    pool: list[_Line] = []
    for age, meeting in enumerate(newest_first):
        recency = 0.8 + 0.2 * math.exp2(-age / 8)
        for highlight in meeting.reading.highlights:
            words = frozenset(content(highlight.text.lower().replace("_", "").split()))
            topical = sum(weights.get(w, 0.0) for w in words)
            score = highlight.score * recency * (0.6 + 0.8 * (1 - math.exp(-topical)))
            place = Evidence(meeting.meeting_id, highlight.segment_id, highlight.text)
            pool.append((score, age, Item(highlight.text, score, (place,)), words))
    pool.sort(key=lambda line: (-line[0], line[2].meeting_id, line[2].segment_id, line[2].text))
    return pool[:_POOL]


def _gain(
    line: _Line, covered: set[str], quoted: dict[str, int], weights: dict[str, float]
) -> float:
    score, _, item, words = line
    total = sum(0.1 + weights.get(w, 0.0) for w in words) or 1.0
    fresh = sum(0.1 + weights.get(w, 0.0) for w in words - covered)
    return score * (fresh / total) * 0.6 ** quoted.get(item.meeting_id, 0)
