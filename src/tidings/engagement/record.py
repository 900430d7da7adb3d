"""The record of a run and the summary in it: the contract that existing front ends read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

Stage = Literal["queued", "sync", "match", "read", "reduce", "verify", "done"]
ListName = Literal["themes", "goals", "challenges", "risks", "recommendations"]

LINE_LISTS: tuple[ListName, ...] = ("goals", "challenges", "risks", "recommendations")
"""The lists whose entries are plain lines of text."""


class Evidence(msgspec.Struct, frozen=True):
    """A verbatim quote and where it stands.

    `segment_id` is None for a quote from the meeting's own summary; `at` is "HH:MM:SS" from the
    start of the recording, `url` opens the recording there.
    """

    meeting_id: UUID
    segment_id: UUID | None
    quote: str
    at: str | None = None
    url: str | None = None


class SummaryPerson(msgspec.Struct, frozen=True):
    """One of the company's people; `count` is in how many of the meetings."""

    name: str
    role: str
    count: int


class SummaryTheme(msgspec.Struct, frozen=True):
    """A topic; `mentions` counts the distinct segments that name it."""

    topic: str
    mentions: int


class SummaryEvidence(msgspec.Struct, frozen=True):
    """For each sentence of the overview and each entry of a list, its evidence in order."""

    overview: list[list[Evidence]] = []
    themes: list[list[Evidence]] = []
    goals: list[list[Evidence]] = []
    challenges: list[list[Evidence]] = []
    risks: list[list[Evidence]] = []
    recommendations: list[list[Evidence]] = []


class Unverified(msgspec.Struct, frozen=True):
    """A line whose quotes were not found in what is stored; never shown as fact."""

    list: str
    text: str


class Change(msgspec.Struct, frozen=True):
    """A line that came or went since the company's previous complete run."""

    list: str
    text: str
    evidence: Sequence[Evidence] = []


class Changes(msgspec.Struct, frozen=True):
    """What differs from the previous complete run."""

    new: list[Change] = []
    resolved: list[Change] = []
    gone: list[Change] = []


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """All meetings with one company."""

    meetings_count: int = 0
    people: list[SummaryPerson] = []
    themes: list[SummaryTheme] = []
    goals: list[str] = []
    challenges: list[str] = []
    risks: list[str] = []
    recommendations: list[str] = []
    meetings_analyzed: int = 0
    first_meeting_at: datetime | None = None
    last_meeting_at: datetime | None = None
    overview: str = ""
    overview_sentences: list[str] = []
    evidence: SummaryEvidence = SummaryEvidence()
    unverified: list[Unverified] = []
    changes: Changes = Changes()

    def entries(self, name: ListName) -> list[str]:
        """The texts of a list."""
        if name == "themes":
            return [theme.topic for theme in self.themes]
        lines: list[str] = getattr(self, name)
        return lines

    def evidence_of(self, name: ListName) -> list[list[Evidence]]:
        """The evidence of a list, one list for each entry."""
        found: list[list[Evidence]] = getattr(self.evidence, name)
        return found


class Progress(msgspec.Struct, frozen=True):
    """How far a run is within its stage."""

    stage: Stage = "queued"
    done: int = 0
    total: int = 0


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The value of `engagement:{domain}:{run_id}`."""

    domain: str
    run_id: UUID
    status: Literal["processing", "complete", "error"]
    summary: Summary | None = None
    error: str | None = None
    created_at: datetime
    updated_at: datetime
    progress: Progress = Progress()
    engine: str = "local"
    include_subdomains: bool = False
    started_at: datetime | None = None
    completed_at: datetime | None = None
    cost: str = "0.000000"
    meetings_read: int = 0
    quotes_checked: int = 0


PREFIX = "engagement:"


def record_key(domain: str, run_id: UUID) -> str:
    """The KV key of a record."""
    return f"{PREFIX}{domain}:{run_id}"
