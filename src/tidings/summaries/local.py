"""The local engine's summary: sentences as they were written, each with its message. Pure.

What is an action, a decision or a question is told by `utterances`, which sentences matter by
`extract`; the rest is order and room.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from tidings.ai.engines.local.extract import pick
from tidings.ai.engines.local.utterances import Said, Utterance, read_utterances
from tidings.summaries.answered import answered
from tidings.summaries.draft import (
    BY_CHANNEL,
    MOST_HIGHLIGHTS,
    MOST_ITEMS,
    MOST_LINES,
    MOST_SENTENCES,
    Draft,
    Finding,
    Kind,
    Line,
    Reading,
    Reduction,
    line_of,
    said_once,
)
from tidings.summaries.due import due_in
from tidings.summaries.windows import Part, Window
from tidings.summaries.wording import is_telling, prose_of, sentences_of

LOCAL_VERSION = "local-2"
PICKED = 10
"""Sentences kept of a window: the best of them for the overview, the rest as its points."""
OPENING = 3
LONGEST = 400
"""Characters of a line; of a longer sentence its beginning, cut at a word."""
LONGEST_TOLD = 320
"""Characters of a sentence of the overview and the points; what is longer is mostly pasted."""
_SPARE = 3
"""Sentences looked at for each one that is kept: many say nothing by themselves."""

_ASKS = re.compile(
    r"\b(?:can|could|would|will) you\b(?! (?:see|hear|believe|imagine|think|remember|like|mind"
    r" if)\b)|\bplease\b",
    re.IGNORECASE,
)
_ASKS_TO_KNOW = re.compile(
    r"^(?:[\w|`'-]+[,:>]+\s*)?"
    r"(?:why|what|whats|how|where|who|which|when|does|is|are|let'?s|you)\b|\bsorry\b|\bhelp\b|"
    r"\bplease (?:wait|hold|note|enjoy|stop|see|watch|keep|do(?:n'?t| not))\b|"
    r"\btell me (?:where|how|what|why|when|who|if)\b|"
    r"\b(?:can|could|would|will) you (?:ping|get|explain|mount|boot)\b",
    re.IGNORECASE,
)
_IDLE = re.compile(
    r"\b(?:i'?ll|i will|let me) (?:be (?:back|right|here|honest)|brb|take that as|say|see you|bet|"
    r"admit|let you|try|go (?:to|and))\b|\blet me (?:see|think|know|guess|check if)\b|"
    r"^(?:if|unless|when)\b|\bi(?:'ll| will) (?:never|probably|maybe)\b",
    re.IGNORECASE,
)


def read_window(window: Window) -> Reading:
    """What one window says; every line is a verbatim part of its message."""
    parts = [
        msgspec.structs.replace(part, text=prose_of(part.text, part.sender))
        for part in window.parts
    ]
    names, closed = _names(parts), answered(parts)
    sentences = [(n, text) for n, part in enumerate(parts) for text in sentences_of(part.text)]
    said = [Said(parts[n].sender, text, parts[n].at) for n, text in sentences]
    does = read_utterances(said)
    found = [*_picked(parts, _weights([text for _, text in sentences], does))]
    for (number, text), one in zip(sentences, does, strict=True):
        part = parts[number]
        found += _done(part, text, one, names)
        if _is_open(text, one) and number not in closed:
            found.append(_finding("question", part, text))
    return Reading(tuple(found))


def reduce_readings(reduction: Reduction) -> Draft:
    """The lines of all windows: the best of each in turn for the overview and the points, the
    newest actions and decisions, each said once."""
    readings = [heard.reading for heard in reduction.heard]
    channels = len({heard.channel_id for heard in reduction.heard})
    room = min(max(MOST_LINES, 2 * channels), MOST_HIGHLIGHTS)
    # Of several channels each is told of, also where its best is in the overview already.
    told: tuple[Kind, ...] = ("point",)
    if reduction.purpose in BY_CHANNEL:
        told = ("point", "overview")
    draft = Draft(
        summary=_best_in_turn(readings, ("overview",), MOST_SENTENCES),
        key_points=_best_in_turn(readings, told, room),
        action_items=_newest(readings, "action", MOST_ITEMS),
        decisions=_newest(readings, "decision", MOST_ITEMS),
        open_questions=_newest(readings, "question", MOST_LINES),
    )
    return said_once(draft, reduction.purpose)


def _picked(parts: Sequence[Part], weights: Mapping[str, float]) -> Iterator[Finding]:
    """The sentences that tell most, without those that ask or say nothing by themselves."""
    picked = [
        one
        for one in pick([Said(p.sender, p.text, p.at) for p in parts], PICKED * _SPARE)
        if is_telling(one.text) and len(one.text) <= LONGEST_TOLD and not one.text.endswith("?")
    ]
    scores = [one.score * weights.get(one.text, 1.0) for one in picked]
    best = sorted(range(len(picked)), key=lambda n: -scores[n])[:PICKED]
    for n in sorted(best):
        kind: Kind = "overview" if n in best[:OPENING] else "point"
        yield _finding(kind, parts[picked[n].index], picked[n].text, scores[n])


def _weights(sentences: Sequence[str], does: Sequence[Utterance]) -> dict[str, float]:
    """What counts for more than its words: a decision, and what somebody took on; thanks less."""
    return {
        text: 1.8 if one.is_decision else 1.2 if one.is_commitment else 0.4
        for text, one in zip(sentences, does, strict=True)
        if one.is_decision or one.is_commitment or "thank" in text.lower()
    }


def _done(part: Part, text: str, one: Utterance, names: dict[str, str]) -> Iterator[Finding]:
    due = due_in(text, part.at.date())
    if one.is_decision and is_telling(text, 2):
        yield _finding("decision", part, text)
    if one.is_commitment:
        if not _IDLE.search(text) and is_telling(text, 1 if due else 2):
            yield _action(part, text, part.sender, due)
    elif one.is_request and _is_asked_to_act(text, due):
        yield _action(part, text, _addressed(part, text, names), due)


def _is_asked_to_act(text: str, due: str | None) -> bool:
    """Whether a request wants something done rather than known."""
    if _ASKS_TO_KNOW.search(text) or not is_telling(text, 1 if due else 2):
        return False
    return _ASKS.search(text) is not None or (due is not None and "?" not in text)


def _is_open(text: str, one: Utterance) -> bool:
    """Whether a sentence asks what somebody should answer: more than "Really?"."""
    is_asked = one.is_question and not (one.is_request and _is_asked_to_act(text, None))
    return is_asked and text.endswith("?") and len(text.split()) >= 4 and is_telling(text, 1)


def _action(part: Part, text: str, owner: str | None, due: str | None) -> Finding:
    return Finding(
        kind="action",
        text=_shortened(text),
        message_id=str(part.message_id),
        quote=_shortened(text),
        score=1.0,
        at=part.at,
        owner=owner,
        due=due,
    )


def _finding(kind: Kind, part: Part, text: str, score: float = 1.0) -> Finding:
    text = _shortened(text)
    return Finding(kind, text, str(part.message_id), text, round(score, 4), part.at)


def _names(parts: Sequence[Part]) -> dict[str, str]:
    """The senders by their first names, where one has it alone."""
    senders = sorted({part.sender for part in parts})
    firsts = [sender.split()[0].lower() for sender in senders if sender.split()]
    return {
        sender.split()[0].lower(): sender
        for sender in senders
        if sender.split() and firsts.count(sender.split()[0].lower()) == 1
    }


def _addressed(part: Part, text: str, names: dict[str, str]) -> str | None:
    """Whom a request names: another sender, by first name, at its beginning or end."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    for word in [*words[:2], *words[-1:]]:
        if word in names and names[word] != part.sender:
            return names[word]
    return None


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0]


def _best_in_turn(
    readings: Sequence[Reading], kinds: Sequence[Kind], most: int
) -> tuple[Line, ...]:
    """The best of each window, newest window first, then the second best …; oldest first."""
    ranked = [
        sorted((f for f in reading.findings if f.kind in kinds), key=lambda f: -f.score)
        for reading in reversed(readings)
    ]
    in_turn = [
        findings[rank]
        for rank in range(max(map(len, ranked), default=0))
        for findings in ranked
        if rank < len(findings)
    ]
    return _lines(sorted(_once(in_turn)[:most], key=lambda f: f.at))


def _newest(readings: Sequence[Reading], kind: Kind, most: int) -> tuple[Line, ...]:
    found = [f for reading in readings for f in reading.findings if f.kind == kind]
    return _lines(_once(sorted(found, key=lambda f: f.at))[-most:])


def _once(findings: Sequence[Finding]) -> list[Finding]:
    return list({finding.text.casefold(): finding for finding in reversed(findings)}.values())[::-1]


def _lines(findings: Sequence[Finding]) -> tuple[Line, ...]:
    return tuple(line_of(finding) for finding in findings)
