"""The reduce step: the readings of all meetings of one company made into one draft."""

import math
from collections.abc import Sequence

from tidings.ai.engines.local.importance import content_of
from tidings.ai.engines.local.overview import overview
from tidings.ai.engines.local.reading import (
    Draft,
    Evidence,
    Item,
    Kind,
    MeetingReading,
)
from tidings.ai.engines.local.similar import groups, likeness
from tidings.ai.engines.local.themes import SEVERAL, merge, themes, topic_weights

SHOWN = 7  # lines shown of one list
EVIDENCE = 12  # places given for one line
LEAST = 0.7  # score below which a line is not shown
_PER_MEETING = 0.7  # what each line already shown of a meeting leaves to its next
_OLDEST = {True: 0.75, False: 0.5}  # what the oldest goal keeps of its score, or another line
_HALF = 6  # meetings later, half of the rest is gone: a risk of spring may be none in autumn
_ALIKE = 0.3  # likeness to a shown line from which the next is held back

_Line = tuple[float, Item, frozenset[str]]


def reduce_meetings(readings: Sequence[MeetingReading]) -> Draft:
    """The summary of all meetings, before its quotes are verified against the stored text.

    Pure; the order of `readings` does not matter. Near-duplicates across meetings are one line with
    all their places; newer meetings, and meetings not yet shown, go first among equals.
    """
    newest_first = sorted(readings, key=lambda m: (m.at, m.meeting_id), reverse=True)
    read = [m for m in newest_first if m.reading.supported]
    topics = merge(read)
    weights = topic_weights(topics)

    def lines(kind: Kind) -> tuple[Item, ...]:
        return _choose(_merge(_candidates(read, kind, weights)))

    return Draft(
        overview=overview(read, weights),
        themes=themes(topics, several=len(read) >= SEVERAL),
        goals=lines("goal"),
        challenges=lines("challenge"),
        risks=lines("risk"),
        recommendations=lines("recommendation"),
        decisions=lines("decision"),
    )


def _candidates(
    newest_first: Sequence[MeetingReading], kind: Kind, weights: dict[str, float]
) -> list[_Line]:
    """Every finding of the kind, scored by itself, by the topics it is about and by its age."""
    found: list[_Line] = []
    least = _OLDEST[kind == "goal"]
    for age, meeting in enumerate(newest_first):
        recency = least + (1.0 - least) * math.exp2(-age / _HALF)
        for finding in meeting.reading.findings:
            if finding.kind != kind:
                continue
            words = content_of(finding.text)
            topical = sum(weights.get(w, 0.0) for w in words)
            score = finding.score * recency * (0.8 + 0.4 * (1 - math.exp(-topical)))
            place = Evidence(meeting.meeting_id, finding.segment_id, finding.quote)
            found.append((score, Item(finding.text, score, (place,)), words))
    found.sort(key=lambda line: (-line[0], _place(line[1])))
    return found


def _place(item: Item) -> tuple[str, str, str]:
    return item.meeting_id, item.segment_id, item.text


def _merge(found: list[_Line]) -> list[_Line]:
    """One line for each group of near-duplicates; being said in several meetings lifts it."""
    merged: list[_Line] = []
    for group in groups([words for _, _, words in found]):
        score, leader, words = found[group[0]]
        places = list(dict.fromkeys(e for i in group for e in found[i][1].evidence))
        spread = len({e.meeting_id for e in places})
        score *= 1.0 + 0.25 * math.log2(spread)
        merged.append((score, Item(leader.text, score, tuple(places[:EVIDENCE])), words))
    merged.sort(key=lambda line: (-line[0], _place(line[1])))
    return merged


def _choose(merged: list[_Line]) -> tuple[Item, ...]:
    """The lines to show, by score; another of the same meeting, or one alike, is held back."""
    pool = merged[: SHOWN * 12]
    chosen: list[_Line] = []
    shown: dict[str, int] = {}
    while pool and len(chosen) < SHOWN:
        best = max(pool, key=lambda line: _worth(line, chosen, shown))
        pool.remove(best)
        if best[1].score < LEAST:
            continue
        chosen.append(best)
        shown[best[1].meeting_id] = shown.get(best[1].meeting_id, 0) + 1
    return tuple(item for _, item, _ in chosen)


def _worth(line: _Line, chosen: list[_Line], shown: dict[str, int]) -> float:
    alike = max((likeness(line[2], other[2]) for other in chosen), default=0.0)
    worth = line[0] * _PER_MEETING ** shown.get(line[1].meeting_id, 0)
    return worth * (1.0 - alike) if alike >= _ALIKE else worth
