"""What changed since the company's previous complete run. Pure.

Lines are the same when their texts are, or when one evidence quote is: wording of an AI's line may
drift while its source stands. A line that is gone counts as resolved when a decision made since
speaks of the same things.
"""

import re
from collections.abc import Sequence

import msgspec

from tidings.base.text import normalise_quote
from tidings.engagement.record import (
    LINE_LISTS,
    Change,
    Changes,
    Evidence,
    ListName,
    Summary,
)

_WORD = re.compile(r"[^\W\d_]{4,}")
_ORDINARY = frozenset(
    """
    about after again also another because been before being could does doing done down during
    each even every from going have having here into just know like look make many maybe mean
    more most much must need only other over really right same should some something such sure
    than that their them then there these they thing things think this those through very want
    well were what when where which while will with would your yours yeah okay
    """.split()
)
SAME_WORDS = 0.5
"""Share of a line's content words that a decision must share to settle it."""


class Decision(msgspec.Struct, frozen=True):
    """Something that was decided, with the evidence for it."""

    text: str
    evidence: list[Evidence]


def compare(
    previous: Summary | None, current: Summary, decisions: Sequence[Decision] = ()
) -> Changes:
    """The lines that are new, resolved and gone; nothing when there is no previous run."""
    if previous is None:
        return Changes()
    new: list[Change] = []
    resolved: list[Change] = []
    gone: list[Change] = []
    names: tuple[ListName, ...] = ("themes", *LINE_LISTS)
    for name in names:
        before, now = _lines(previous, name), _lines(current, name)
        new += [Change(name, line.text, line.evidence) for line in now if not _among(line, before)]
        for line in before:
            if _among(line, now):
                continue
            settled = None if name == "themes" else _settled_by(line, decisions)
            if settled is not None:
                resolved.append(Change(name, line.text, settled.evidence))
            else:
                gone.append(Change(name, line.text, line.evidence))
    return Changes(new, resolved, gone)


class _Line(msgspec.Struct, frozen=True):
    text: str
    evidence: list[Evidence]


def _lines(summary: Summary, name: ListName) -> list[_Line]:
    texts, evidence = summary.entries(name), summary.evidence_of(name)
    padded = [*evidence, *([[]] * (len(texts) - len(evidence)))]
    return [_Line(text, found) for text, found in zip(texts, padded, strict=False)]


def _among(line: _Line, others: Sequence[_Line]) -> bool:
    text = _canonical(line.text)
    quotes = {(e.meeting_id, _canonical(e.quote)) for e in line.evidence}
    for other in others:
        if _canonical(other.text) == text:
            return True
        if len(text.split()) > 3 and any(
            (e.meeting_id, _canonical(e.quote)) in quotes for e in other.evidence
        ):
            return True
    return False


def _settled_by(line: _Line, decisions: Sequence[Decision]) -> Decision | None:
    words = _content(line.text)
    if not words:
        return None
    known = {(e.meeting_id, e.segment_id) for e in line.evidence}
    best: tuple[float, Decision] | None = None
    for decision in decisions:
        if any((e.meeting_id, e.segment_id) in known for e in decision.evidence):
            continue
        shared = len(words & _content(decision.text)) / len(words)
        if shared >= SAME_WORDS and (best is None or shared > best[0]):
            best = (shared, decision)
    return best[1] if best else None


def _canonical(text: str) -> str:
    return normalise_quote(text).casefold().rstrip(".!")


def _content(text: str) -> set[str]:
    return {word for word in _WORD.findall(text.casefold()) if word not in _ORDINARY}
