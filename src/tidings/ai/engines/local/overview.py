"""The overview: two to four sentences, as they were said, that together say what it is about.

Of several meetings a reader asks what is wanted, what stands in the way, what was decided and where
it stands now: one sentence each. Of one meeting, and for parts that nobody said, the sentences
that cover most of the topics are added.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import msgspec

from tidings.ai.engines.local.alone import standing_alone
from tidings.ai.engines.local.clauses import clauses
from tidings.ai.engines.local.cues import state
from tidings.ai.engines.local.importance import content_of
from tidings.ai.engines.local.reading import (
    Evidence,
    Finding,
    Highlight,
    Item,
    Kind,
    MeetingReading,
)
from tidings.ai.engines.local.similar import SAME, likeness

SENTENCES = 4
LONGEST = 35  # words of a sentence
_PART = 0.7  # what a line keeps that is not one whole sentence
_SHORTEST = 6
_FEWEST = 2
_ENOUGH = 3  # sentences that are not added to
_LEAST = 0.06  # of what the first sentence adds, what another must add to be shown
_POOL = 120
_LOOKED_AT = 16  # of one meeting, when there are several
_OF_ONE = 2  # parts of the story that are told of a single meeting, beside what it covers
_ANY_WORD = 0.3  # what a word counts that is in no topic
_ALIKE = 0.35  # likeness from which two sentences say the same


class _Part(msgspec.Struct, frozen=True):
    """A part of the story: the kinds that play it (none: the state) and how it takes age.

    `oldest` is what a sentence of long ago keeps of its score; half of the rest is gone `half`
    meetings later. What is wanted stays; where it stands is told by the last meetings.
    """

    kinds: tuple[Kind, ...]
    oldest: float
    half: float
    alike: float = _ALIKE


_WANTED = _Part(("goal",), 0.75, 8.0)
_IN_THE_WAY = _Part(("challenge", "risk"), 0.5, 6.0)
_DECIDED = _Part(("decision",), 0.5, 6.0)
_REACHED = _Part((), 0.1, 1.5, SAME)  # often said in the words of what was wanted
_TOPIC = _Part((), 0.5, 8.0)


class _Line(msgspec.Struct, frozen=True):
    score: float
    item: Item
    words: frozenset[str]


def overview(newest_first: Sequence[MeetingReading], weights: dict[str, float]) -> tuple[Item, ...]:
    """The sentences to show: in the order of the story, or by how much they cover."""
    story = _story(newest_first, weights)
    chosen = story[:_OF_ONE] if len(newest_first) == 1 else story
    if len(chosen) < _ENOUGH:
        said = _highlights if len(newest_first) > 1 else _all_highlights
        _cover(chosen, _lines(newest_first, weights, said, _TOPIC), weights)
    return tuple(line.item for line in chosen)


def _story(newest_first: Sequence[MeetingReading], weights: dict[str, float]) -> list[_Line]:
    chosen: list[_Line] = []
    for part in (_WANTED, _IN_THE_WAY, _DECIDED, _REACHED):
        said = _findings(part.kinds) if part.kinds else _highlights
        fits = _reads_alone if part.kinds else _tells_state
        found = _lines(newest_first, weights, said, part)
        line = next((s for s in found if _is_new(s, chosen, part.alike) and fits(_text(s))), None)
        if line is not None:
            chosen.append(line)
    return chosen


def _findings(kinds: tuple[Kind, ...]) -> Callable[[MeetingReading], Iterable[Finding]]:
    return lambda meeting: (f for f in meeting.reading.findings if f.kind in kinds)


def _highlights(meeting: MeetingReading) -> Iterable[Highlight]:
    return meeting.reading.highlights[:_LOOKED_AT]


def _all_highlights(meeting: MeetingReading) -> Iterable[Highlight]:
    return meeting.reading.highlights


def _lines(
    newest_first: Sequence[MeetingReading],
    weights: dict[str, float],
    said: Callable[[MeetingReading], Iterable[Finding | Highlight]],
    part: _Part,
) -> list[_Line]:
    """The best lines, best first: by themselves, by the topics they are about and by age."""
    found: list[_Line] = []
    for age, meeting in enumerate(newest_first):
        recency = part.oldest + (1.0 - part.oldest) * math.exp2(-age / part.half)
        for line in said(meeting):
            words = content_of(line.text)
            topical = sum(weights.get(word, 0.0) for word in words)
            score = line.score * recency * (0.4 + 1.2 * (1 - math.exp(-topical)))
            place = Evidence(meeting.meeting_id, line.segment_id, line.text)
            found.append(_Line(score, Item(line.text, score, (place,)), words))
    found.sort(key=lambda line: (-line.score, line.item.meeting_id, line.item.segment_id))
    return found[:_POOL]


def _cover(chosen: list[_Line], pool: list[_Line], weights: dict[str, float]) -> None:
    """Adds the sentences that cover most of what is not covered yet, greedily.

    A greedy choice of what covers most is never far from the best one (Nemhauser et al. 1978).
    """
    covered = {word for line in chosen for word in line.words}
    pool = [_judged(line) for line in pool if len(_text(line).split()) <= LONGEST]
    first = 0.0
    while pool and len(chosen) < SENTENCES:
        best = max(pool, key=lambda line: _gain(line, covered, weights))
        gain = _gain(best, covered, weights)
        first = first or gain
        if len(chosen) >= _FEWEST and gain < _LEAST * first:
            break
        pool.remove(best)
        if _is_new(best, chosen, _ALIKE if len(chosen) >= _FEWEST else SAME):
            chosen.append(best)
            covered |= best.words


def _gain(line: _Line, covered: set[str], weights: dict[str, float]) -> float:
    """What it adds; how well it reads counts less than that (square root)."""
    fresh = sum(_ANY_WORD + weights.get(word, 0.0) for word in line.words - covered)
    return math.sqrt(line.score) * fresh


def _judged(line: _Line) -> _Line:
    factor = 1.0 if _reads_alone(_text(line)) else _PART
    return msgspec.structs.replace(line, score=line.score * factor)


def _is_new(line: _Line, chosen: list[_Line], alike: float) -> bool:
    return all(likeness(line.words, other.words) < alike for other in chosen)


def _text(line: _Line) -> str:
    return line.item.text


def _reads_alone(text: str) -> bool:
    """Whether it is one whole sentence, from its beginning, that says itself what it is about."""
    said = clauses(text)
    words = [word for clause in said for word in clause.words]
    return (
        text[:1].isupper()
        and _SHORTEST <= len(words) <= LONGEST
        and said[-1].end_mark in (".", "!")
        and standing_alone(" ".join(words), announces=bool(said[0].commas)) == 1.0
    )


def _tells_state(text: str) -> bool:
    return _reads_alone(text) and any(state(clause.words) for clause in clauses(text))
