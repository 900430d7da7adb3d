"""The local engine's summary: sentences as they were written, each with its message. Pure.

What is an action, a decision or a question is told by `utterances`, which sentences matter by
`extract`; the rest is order and room.
"""

import re
from collections.abc import Iterator, Sequence

from tidings.ai.engines.local.extract import pick
from tidings.ai.engines.local.replies import reply_links
from tidings.ai.engines.local.utterances import Said, Utterance, read_utterances
from tidings.summaries.draft import (
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
)
from tidings.summaries.due import due_in
from tidings.summaries.windows import Part, Window

LOCAL_VERSION = "local-1"
PICKED = 10
"""Sentences kept of a window: the best of them for the overview, the rest as its points."""
OPENING = 3
LONGEST = 400
"""Characters of a line; of a longer sentence its beginning, cut at a word."""

_BETWEEN = re.compile(r"(?<=[.!?])\s+|\n+")
_COMMITS = re.compile(
    r"\b(?:i'?ll|i will|let me|i'?m going to|i am going to|i can)\b", re.IGNORECASE
)
_ASKS = re.compile(r"\b(?:can|could|would|will) you\b|\bplease\b", re.IGNORECASE)
_DECIDES = re.compile(
    r"\b(?:decided?|agreed?|agreement|approved?|go with|settled|final|decision)\b", re.IGNORECASE
)


def read_window(window: Window) -> Reading:
    """What one window says; every line is a verbatim part of its message."""
    parts = window.parts
    said = [Said(part.sender, part.text, part.at) for part in parts]
    does, names, answered = read_utterances(said), _names(parts), _answered(said)
    found = [*_picked(parts, said)]
    for number, (part, one) in enumerate(zip(parts, does, strict=True)):
        found += _done(part, one, names)
        if one.is_question and not _is_asked_to_act(part, one) and number not in answered:
            found.append(_finding("question", part, _sentence(part.text, "?")))
    return Reading(tuple(found))


def reduce_readings(reduction: Reduction) -> Draft:
    """The lines of all windows: the best of each in turn for the overview and the points, the
    newest actions and decisions, each said once."""
    readings = [heard.reading for heard in reduction.heard]
    overview = _best_in_turn(readings, "overview", MOST_SENTENCES)
    channels = len({heard.channel_id for heard in reduction.heard})
    room = min(max(MOST_LINES, 2 * channels), MOST_HIGHLIGHTS)
    points = _best_in_turn(readings, "point", room)
    return Draft(
        summary=overview,
        key_points=points or overview,
        action_items=_newest(readings, "action", MOST_ITEMS),
        decisions=_newest(readings, "decision", MOST_ITEMS),
        open_questions=_newest(readings, "question", MOST_LINES),
    )


def _picked(parts: Sequence[Part], said: Sequence[Said]) -> Iterator[Finding]:
    picked = pick(said, PICKED)
    opening = sorted(range(len(picked)), key=lambda n: -picked[n].score)[:OPENING]
    for number, one in enumerate(picked):
        kind: Kind = "overview" if number in opening else "point"
        yield _finding(kind, parts[one.index], one.text, one.score)


def _done(part: Part, one: Utterance, names: dict[str, str]) -> Iterator[Finding]:
    if one.is_decision:
        yield _finding("decision", part, _sentence(part.text, _DECIDES))
    if one.is_commitment:
        yield _action(part, _sentence(part.text, _COMMITS), part.sender)
    elif _is_asked_to_act(part, one):
        text = _sentence(part.text, _ASKS)
        yield _action(part, text, _addressed(part, text, names))


def _is_asked_to_act(part: Part, one: Utterance) -> bool:
    """Whether a request wants something done; one that is a question may only want to know."""
    return one.is_request and (not one.is_question or _ASKS.search(part.text) is not None)


def _action(part: Part, text: str, owner: str | None) -> Finding:
    return Finding(
        kind="action",
        text=_shortened(text),
        message_id=str(part.message_id),
        quote=_shortened(text),
        score=1.0,
        at=part.at,
        owner=owner,
        due=due_in(text, part.at.date()),
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


def _answered(said: Sequence[Said]) -> set[int]:
    """The messages that somebody else answers, as far as the window goes."""
    return {
        link
        for later, link in enumerate(reply_links(said))
        if link is not None and said[later].speaker != said[link].speaker
    }


def _sentence(text: str, wanted: re.Pattern[str] | str) -> str:
    """The first sentence that has it, else the first one; a verbatim part of the text."""
    sentences = [part.strip() for part in _BETWEEN.split(text) if part.strip()]
    for sentence in sentences:
        if wanted in sentence if isinstance(wanted, str) else wanted.search(sentence):
            return sentence
    return sentences[0] if sentences else text.strip()


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0]


def _best_in_turn(readings: Sequence[Reading], kind: Kind, most: int) -> tuple[Line, ...]:
    """The best of each window, newest window first, then the second best …; oldest first."""
    ranked = [
        sorted((f for f in reading.findings if f.kind == kind), key=lambda f: -f.score)
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
