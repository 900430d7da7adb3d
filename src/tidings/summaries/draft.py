"""What engines give: the findings of a window, and the lines of a whole summary."""

from datetime import datetime
from typing import Literal

import msgspec

MOST_SENTENCES = 5
MOST_LINES = 8
MOST_ITEMS = 12
MOST_HIGHLIGHTS = 60
"""Lines of a digest or a catch-up over all its channels; two of each while there is room."""

BY_CHANNEL = ("daily_digest", "catch_up")

Kind = Literal["overview", "point", "action", "decision", "question"]


class Claim(msgspec.Struct, frozen=True):
    """Words that are said to stand in a message."""

    message_id: str
    quote: str


class Finding(msgspec.Struct, frozen=True):
    """One thing a window says; `at` is when, `owner` and `due` (YYYY-MM-DD) are an action's."""

    kind: Kind
    text: str
    message_id: str
    quote: str
    score: float
    at: datetime
    owner: str | None = None
    due: str | None = None


class Reading(msgspec.Struct, frozen=True):
    """What one window says."""

    findings: tuple[Finding, ...] = ()


class Line(msgspec.Struct, frozen=True):
    """One line of a summary and what it rests on."""

    text: str
    evidence: tuple[Claim, ...]
    owner: str | None = None
    due: str | None = None


class Draft(msgspec.Struct, frozen=True):
    """A summary before its quotes are checked."""

    summary: tuple[Line, ...] = ()
    key_points: tuple[Line, ...] = ()
    action_items: tuple[Line, ...] = ()
    decisions: tuple[Line, ...] = ()
    open_questions: tuple[Line, ...] = ()


class Heard(msgspec.Struct, frozen=True):
    """The reading of one window, and the channel it is of."""

    channel_id: str
    channel: str
    reading: Reading


class Reduction(msgspec.Struct, frozen=True):
    """What is to be made one summary: the readings, oldest first, and what for."""

    purpose: str
    heard: tuple[Heard, ...]


def line_of(finding: Finding) -> Line:
    """A finding as a line by itself."""
    claim = Claim(finding.message_id, finding.quote)
    return Line(finding.text, (claim,), finding.owner, finding.due)


def lines_of(reading: Reading, purpose: str = "thread") -> Draft:
    """The summary of what is one window whole: its findings as they stand."""

    def lines(kind: Kind, most: int) -> tuple[Line, ...]:
        return tuple(line_of(f) for f in reading.findings if f.kind == kind)[:most]

    draft = Draft(
        summary=lines("overview", MOST_SENTENCES),
        key_points=lines("point", MOST_LINES),
        action_items=lines("action", MOST_ITEMS),
        decisions=lines("decision", MOST_ITEMS),
        open_questions=lines("question", MOST_LINES),
    )
    return said_once(draft, purpose)


def said_once(draft: Draft, purpose: str) -> Draft:
    """The draft without points that stand elsewhere in it.

    Of a digest and a catch-up the points are what is told of each channel: there they stay, and
    where there is none the overview stands for them.
    """
    if purpose in BY_CHANNEL:
        return msgspec.structs.replace(draft, key_points=draft.key_points or draft.summary)
    others = (*draft.summary, *draft.decisions, *draft.action_items, *draft.open_questions)
    told = {line.text.casefold() for line in others}
    points = tuple(line for line in draft.key_points if line.text.casefold() not in told)
    return msgspec.structs.replace(draft, key_points=points)
