"""What a summary holds: the shape of its rows, of the API's answers and of the pages."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

SummaryType = Literal["thread", "channel", "daily_digest", "catch_up"]
PERSONAL: tuple[SummaryType, ...] = ("daily_digest", "catch_up")
"""Made for one person, and read by them alone."""

ListName = Literal["summary", "key_points", "action_items", "decisions", "open_questions"]


class Evidence(msgspec.Struct, frozen=True):
    """A verbatim quote and the message that it stands in."""

    message_id: UUID
    channel_id: UUID
    quote: str
    sender: str
    at: datetime


class ActionItem(msgspec.Struct, frozen=True):
    """Something to do; `due` is a date as YYYY-MM-DD."""

    text: str
    owner: str | None = None
    due: str | None = None


class Participant(msgspec.Struct, frozen=True):
    """Who wrote, and how many messages."""

    name: str
    count: int


class Highlight(msgspec.Struct, frozen=True):
    """A channel of a digest or a catch-up; its points are among the summary's `key_points`."""

    channel_id: UUID
    channel: str
    message_count: int
    key_points: list[str]


class Unverified(msgspec.Struct, frozen=True):
    """A line whose quotes were not found where it said."""

    list: str
    text: str


class SummaryEvidence(msgspec.Struct, frozen=True):
    """For each entry of a list its quotes; `summary` has those of `summary_sentences`."""

    summary: list[list[Evidence]] = []
    key_points: list[list[Evidence]] = []
    action_items: list[list[Evidence]] = []
    decisions: list[list[Evidence]] = []
    open_questions: list[list[Evidence]] = []


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What was written of the messages, with its evidence."""

    summary_text: str
    summary_sentences: list[str] = []
    key_points: list[str] = []
    action_items: list[ActionItem] = []
    decisions: list[str] = []
    open_questions: list[str] = []
    participants: list[Participant] = []
    highlights: list[Highlight] = []
    evidence: SummaryEvidence = SummaryEvidence()
    unverified: list[Unverified] = []
    quotes_checked: int = 0
    message_count: int = 0
    messages_left_out: int = 0
    from_at: datetime | None = None
    until_at: datetime | None = None


class Summary(Content, frozen=True, kw_only=True):
    """A summary as it is kept.

    `reference` is the thread, else the channel; null for all of a person's channels.
    `channel_name` and `thread_subject` are as they are now.
    """

    id: UUID
    type: SummaryType
    reference: UUID | None = None
    channel_id: UUID | None = None
    thread_id: UUID | None = None
    channel_name: str | None = None
    thread_subject: str | None = None
    local_date: date | None = None
    timezone: str | None = None
    since: datetime | None = None
    engine: str
    run_id: UUID | None = None
    generated_at: datetime
    expires_at: datetime

    @property
    def title(self) -> str:
        """What it is about, in a few words."""
        if self.type == "daily_digest" and self.local_date is not None:
            day = self.local_date
            return f"{day:%A}, {day.day} {day:%B} {day.year}"
        if self.type == "catch_up":
            return f"What is new in {self.channel_name}" if self.channel_name else "What is new"
        return self.thread_subject or self.channel_name or "Conversation"

    def entries(self, name: ListName) -> Sequence[tuple[str, list[Evidence]]]:
        """The entries of a list as texts, each with its evidence."""
        texts = {
            "summary": self.summary_sentences,
            "key_points": self.key_points,
            "action_items": [item.text for item in self.action_items],
            "decisions": self.decisions,
            "open_questions": self.open_questions,
        }[name]
        found: list[list[Evidence]] = getattr(self.evidence, name)
        return list(zip(texts, [*found, *([[]] * (len(texts) - len(found)))], strict=True))
