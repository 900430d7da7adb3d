"""The map step: one meeting read into sourced findings, key phrases and highlights."""

import math
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from tidings.ai.engines.local.clauses import clauses
from tidings.ai.engines.local.cues import state, strengths
from tidings.ai.engines.local.guards import doubt, is_question, runs_meeting
from tidings.ai.engines.local.importance import (
    Weights,
    density,
    edge,
    matter,
    opening,
    readability,
    says_enough,
)
from tidings.ai.engines.local.language import is_supported, looks_english
from tidings.ai.engines.local.phrases import key_phrases
from tidings.ai.engines.local.reading import KINDS, Finding, Highlight, Kind, Reading, Utterance
from tidings.ai.engines.local.speech import Heard

KEPT = 16  # candidates kept of each kind
HIGHLIGHTS = 24  # sentences kept for the overview
LEAST = 0.45  # score below which a candidate is no finding
_INTENTIONS: frozenset[Kind] = frozenset(("goal", "decision", "action"))
_FACTS: frozenset[Kind] = frozenset(("goal", "challenge", "risk"))
_EXCLUSIVE: tuple[Kind, ...] = ("risk", "challenge", "recommendation", "goal")


_Line = TypeVar("_Line", Finding, Highlight)


class _Setting(msgspec.Struct, frozen=True):
    """What a clause is worth where it is said, and how much it is about what the meeting is."""

    place: float
    early: float
    central: float


def read_meeting(utterances: Sequence[Utterance], *, language: str = "en") -> Reading:
    """The sourced findings of one meeting.

    Pure and linear in the length of the text. Every quote is an exact substring of the text of the
    segment that it names. A language other than English, or text that is marked English and is
    not, gives `supported` False and nothing else.
    """
    if not is_supported(language):
        return Reading(supported=False, language=language)
    heard = _hear(utterances)
    if not looks_english(word for item in heard for word in item.clause.words):
        return Reading(supported=False, language=language)
    phrases = key_phrases(heard, _names(utterances))
    weights = Weights(heard, phrases)
    findings: dict[Kind, list[Finding]] = {kind: [] for kind in KINDS}
    highlights: list[Highlight] = []
    centrality = [weights.centrality(item.clause.words) for item in heard]
    around = density(heard, centrality, len(utterances))
    for item, central in zip(heard, centrality, strict=True):
        place = around[item.position] * edge(item.position, len(utterances))
        early = opening(item.position, len(utterances))
        _judge(item, _Setting(place, early, central), findings, highlights)
    return Reading(
        supported=True,
        language=language,
        segments=len(utterances),
        findings=tuple(f for kind in KINDS for f in _best(findings[kind], KEPT)),
        phrases=phrases,
        highlights=tuple(_best(highlights, HIGHLIGHTS)),
    )


def _hear(utterances: Sequence[Utterance]) -> list[Heard]:
    return [
        Heard(position, utterance.id, utterance.text, clause)
        for position, utterance in enumerate(utterances)
        for clause in clauses(utterance.text)
    ]


def _names(utterances: Sequence[Utterance]) -> frozenset[str]:
    labels = {utterance.speaker for utterance in utterances}
    return frozenset(
        word
        for label in labels
        for clause in clauses(label)
        for word in clause.words
        if len(word) > 2
    )


def _judge(
    item: Heard,
    setting: _Setting,
    findings: dict[Kind, list[Finding]],
    highlights: list[Highlight],
) -> None:
    clause = item.clause
    reads = readability(clause)
    if reads < 0.2:
        return
    words = " ".join(clause.words)
    if runs_meeting(words) or is_question(words, clause.end_mark):
        return
    found = strengths(clause.words)
    if not says_enough(clause.words, max(found.values(), default=0.0)):
        return
    central = setting.central
    factor = setting.place * reads * (0.5 + 0.5 * central) * doubt(words)
    quote = item.text[clause.start : clause.end]
    conditional = clause.words[0] in ("if", "when", "once", "unless")
    personal = math.sqrt(matter(clause.words))
    for kind, strength in _one_list(found).items():
        supposed = conditional and kind in _INTENTIONS
        score = strength * factor * (0.5 if supposed else 1.0)
        score = round(score * (personal if kind in _FACTS else 1.0), 4)
        if score >= LEAST:
            findings[kind].append(Finding(kind, quote, item.segment_id, quote, score))
    told = max(max(found.values(), default=0.0), state(clause.words))
    score = factor * (0.6 + central) * (1.0 + 0.5 * told) * matter(clause.words) * setting.early
    highlights.append(Highlight(quote, item.segment_id, round(score, 4)))


def _one_list(found: dict[Kind, float]) -> dict[Kind, float]:
    """Leaves a clause to the one list it fits best; a decision or action may be it as well."""
    best = max(_EXCLUSIVE, key=lambda kind: found.get(kind, 0.0))
    return {k: v for k, v in found.items() if k == best or k not in _EXCLUSIVE}


def _best(found: list[_Line], most: int) -> list[_Line]:
    """The best lines, each said once."""
    kept: dict[str, _Line] = {}
    for line in sorted(found, key=lambda f: (-f.score, f.segment_id, f.text)):
        kept.setdefault(line.text.lower(), line)
        if len(kept) == most:
            break
    return list(kept.values())
