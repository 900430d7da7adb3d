"""Cues compiled: which patterns to try for a word, and how strongly a clause is of each kind."""

import re
from collections.abc import Iterable

import msgspec

from tidings.ai.engines.local.guards import denied, negated
from tidings.ai.engines.local.lexicon import (
    actions,
    challenges,
    decisions,
    goals,
    recommendations,
    risks,
    states,
)
from tidings.ai.engines.local.lexicon.row import NAMED, Row
from tidings.ai.engines.local.reading import Kind

SUPPORTING = 1  # a cue of this weight only adds to another one
_SUPPOSING = ("if", "when", "once", "unless", "until", "as")
_EXTRA = 0.25  # what every cue beside the best adds of its weight


class _Cue(msgspec.Struct, frozen=True):
    """A compiled row.

    A "not" just before a cue cancels it unless `plain`; one inside it does unless the pattern is
    itself about what is not (`denies`).
    """

    kind: Kind
    weight: float
    pattern: re.Pattern[str]
    plain: bool
    denies: bool


def strengths(words: list[str]) -> dict[Kind, float]:
    """How strongly a clause is of each kind: its best cue, plus a little for every other one.

    `words` are the plain words of one clause. A kind with no cue, or only supporting ones, is left
    out.
    """
    found: dict[Kind, list[float]] = {}
    tried: set[int] = set()
    text = " ".join(words)
    for word in set(words):
        for cue in _BY_TRIGGER.get(word, ()):
            if id(cue) in tried:
                continue
            tried.add(id(cue))
            match = cue.pattern.search(text)
            if match is not None and not _cancelled(cue, text, match.start(), match.end()):
                found.setdefault(cue.kind, []).append(cue.weight)
    return {
        kind: max(weights) + _EXTRA * (sum(weights) - max(weights))
        for kind, weights in found.items()
        if max(weights) > SUPPORTING
    }


def state(words: list[str]) -> float:
    """How strongly a clause tells where things stand: the weight of its best cue, or 0."""
    if words[0] in _SUPPOSING:
        return 0.0
    text = " ".join(words)
    said = set(words)
    return max(
        (
            row.weight
            for row, pattern in _STATES
            if not said.isdisjoint(row.triggers.split()) and pattern.search(text) is not None
        ),
        default=0.0,
    )


def _cancelled(cue: _Cue, text: str, start: int, end: int) -> bool:
    """Whether a negation stands in the cue or within four words before it, or a denial anywhere."""
    if cue.plain:
        return False
    before = text[:start]
    near = " ".join(before[-40:].split()[-4:])
    if cue.kind == "decision" and "if" in near.split():
        return True  # "even if they have decided to …"
    return negated(near) or denied(before) or (not cue.denies and negated(text[start:end]))


def _compile(kind: Kind, rows: Iterable[Row], *, plain: bool = False) -> list[tuple[str, _Cue]]:
    found: list[tuple[str, _Cue]] = []
    for row in rows:
        denies = " not" in row.pattern or "without" in row.pattern
        cue = _Cue(kind, row.weight, _pattern(row), plain, denies)
        found.extend((trigger, cue) for trigger in row.triggers.split())
    return found


def _pattern(row: Row) -> re.Pattern[str]:
    pattern = row.pattern
    for name, meaning in NAMED.items():
        pattern = pattern.replace(name, meaning)
    return re.compile(rf"\b(?:{pattern})")


def _by_trigger() -> dict[str, tuple[_Cue, ...]]:
    index: dict[str, list[_Cue]] = {}
    for trigger, cue in (
        *_compile("goal", goals.ROWS),
        *_compile("challenge", challenges.ROWS),
        *_compile("challenge", challenges.DENYING_ROWS, plain=True),
        *_compile("risk", risks.ROWS),
        *_compile("recommendation", recommendations.ROWS),
        *_compile("recommendation", recommendations.DENYING_ROWS, plain=True),
        *_compile("decision", decisions.ROWS),
        *_compile("action", actions.ROWS),
    ):
        index.setdefault(trigger, []).append(cue)
    return {trigger: tuple(found) for trigger, found in index.items()}


_BY_TRIGGER = _by_trigger()
_STATES = tuple((row, _pattern(row)) for row in states.ROWS)
