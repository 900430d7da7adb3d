"""What the local engine takes and gives: utterances, a reading per meeting, a draft of them all."""

from datetime import datetime
from typing import Literal

import msgspec

Kind = Literal["goal", "challenge", "risk", "recommendation", "decision", "action"]
KINDS: tuple[Kind, ...] = ("goal", "challenge", "risk", "recommendation", "decision", "action")


class Utterance(msgspec.Struct, frozen=True):
    """One segment of a meeting, as stored; `at` is its time in the meeting ("HH:MM:SS") or None."""

    id: str
    speaker: str
    text: str
    at: str | None = None


class Finding(msgspec.Struct, frozen=True):
    """One sourced line. `text` and `quote` are the same exact substring of the segment's text."""

    kind: Kind
    text: str
    segment_id: str
    quote: str
    score: float


class Mention(msgspec.Struct, frozen=True):
    """Where a phrase was said: an exact substring of the segment that contains the phrase."""

    segment_id: str
    quote: str


class Phrase(msgspec.Struct, frozen=True):
    """A key phrase of one meeting.

    `key` is what merges spellings (lower case, singular); `topic` is the form as it was said;
    `segments` are the 0-based positions, in the meeting, of every segment that has it.
    """

    key: str
    topic: str
    score: float
    segments: tuple[int, ...]
    mentions: tuple[Mention, ...]


class Highlight(msgspec.Struct, frozen=True):
    """A sentence that could stand in the overview; an exact substring of its segment."""

    text: str
    segment_id: str
    score: float


class Reading(msgspec.Struct, frozen=True):
    """What one meeting says. With `supported` False all else is empty: nothing is guessed."""

    supported: bool
    language: str
    segments: int = 0
    findings: tuple[Finding, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    highlights: tuple[Highlight, ...] = ()


class MeetingReading(msgspec.Struct, frozen=True):
    """A reading and the meeting it belongs to; `at` is when that took place (aware, UTC)."""

    meeting_id: str
    at: datetime
    title: str
    reading: Reading


class Evidence(msgspec.Struct, frozen=True):
    """The place that a line was taken from; `quote` is an exact substring of the segment."""

    meeting_id: str
    segment_id: str
    quote: str


class Item(msgspec.Struct, frozen=True):
    """One line of a draft: the quote of its first evidence; the rest say nearly the same."""

    text: str
    score: float
    evidence: tuple[Evidence, ...]

    @property
    def meeting_id(self) -> str:
        """The meeting that the line is quoted from."""
        return self.evidence[0].meeting_id

    @property
    def segment_id(self) -> str:
        """The segment that the line is quoted from."""
        return self.evidence[0].segment_id

    @property
    def quote(self) -> str:
        """The line as it was said."""
        return self.evidence[0].quote


class Theme(msgspec.Struct, frozen=True):
    """A topic of the meetings; `mentions` counts the distinct segments that name it."""

    topic: str
    mentions: int
    evidence: tuple[Evidence, ...]


class Draft(msgspec.Struct, frozen=True):
    """The summary of all meetings before verification."""

    overview: tuple[Item, ...] = ()
    themes: tuple[Theme, ...] = ()
    goals: tuple[Item, ...] = ()
    challenges: tuple[Item, ...] = ()
    risks: tuple[Item, ...] = ()
    recommendations: tuple[Item, ...] = ()
    decisions: tuple[Item, ...] = ()
