"""Looking at what channels mean: one of them, its past, and all of them together."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from tidings.base.cursor import Page, decode_cursor, listing
from tidings.base.errors import RowMissing
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Transaction
from tidings.intelligence.refine import ANALYZE
from tidings.intelligence.state import (
    DetectedTopic,
    Direction,
    Followup,
    Quote,
    Sentiment,
    Times,
    Trend,
)
from tidings.queue.runs import StartedRun, start_run

sql = load_queries("tidings.intelligence")

NO_CHANNEL = "There is no such channel here."
OVERVIEW = 10
"""How many channels each list of the overview names."""


class PastReading(msgspec.Struct, frozen=True):
    """A reading of the row's own history: newest first, the last 50."""

    sentiment: Sentiment
    score: float
    as_of: datetime
    read_at: datetime
    position: int
    engine: str


class Engaged(msgspec.Struct, frozen=True):
    """A participant; `score` is 0 to 100, as of now."""

    id: str
    name: str
    direction: Direction
    messages: int
    last_seen_at: datetime
    score: float


class OpenQuestion(msgspec.Struct, frozen=True):
    """A question that nobody else has answered since `asked_at`."""

    message_id: UUID
    asked_by: str
    direction: Direction
    asked_at: datetime
    quote: str
    thread_id: UUID | None = None


class Windows(msgspec.Struct, frozen=True):
    """Both windows of the trend, `days` long each; responses are medians in seconds."""

    days: int
    recent_messages: int
    previous_messages: int
    recent_response: float | None
    previous_response: float | None
    change: float


class Intelligence(msgspec.Struct, frozen=True, kw_only=True):
    """The current reading of a channel. `unread` messages were taken in after it."""

    channel_id: UUID
    channel_name: str
    channel_kind: str
    current_sentiment: Sentiment
    sentiment_score: float
    sentiment_reason: str
    sentiment_evidence: list[Quote]
    sentiment_history: list[PastReading]
    detected_topics: list[DetectedTopic]
    topic_confidence: dict[str, float]
    participant_engagement: list[Engaged]
    engagement_score: float
    engagement_trend: Trend
    trend: Windows | None
    response_times: dict[Literal["in", "out"], Times]
    open_questions: list[OpenQuestion]
    suggested_followups: list[Followup]
    message_count: int
    first_message_at: datetime | None
    last_message_at: datetime | None
    analysis_count: int
    last_analyzed_at: datetime | None
    engine: str
    refined_at: datetime | None
    position: int
    unread: int


class SentimentReading(msgspec.Struct, frozen=True):
    """One reading; `as_of` is when the newest message in it is from."""

    id: UUID
    sentiment: Sentiment
    score: float
    position: int
    engine: str
    as_of: datetime
    read_at: datetime


class SentimentPage(msgspec.Struct, frozen=True):
    """Readings, newest first."""

    items: list[SentimentReading]
    next_cursor: str | None


class TopicRow(msgspec.Struct, frozen=True):
    """A topic of a channel; `message_ids` are the last that mentioned it, at most 5."""

    topic: str
    confidence: float
    mention_count: int
    first_detected_at: datetime
    last_mentioned_at: datetime
    message_ids: list[UUID]


class TopicPage(msgspec.Struct, frozen=True):
    """Topics, mentioned last first."""

    items: list[TopicRow]
    next_cursor: str | None


class WorstRow(msgspec.Struct, frozen=True):
    """A channel that feels bad."""

    channel_id: UUID
    channel_name: str
    current_sentiment: Sentiment
    sentiment_score: float
    sentiment_reason: str
    last_message_at: datetime | None


class DecliningRow(msgspec.Struct, frozen=True):
    """A channel that goes quiet: `engagement_change` −0.5 is half as many messages as before."""

    channel_id: UUID
    channel_name: str
    engagement_change: float
    last_message_at: datetime | None


class UnansweredRow(msgspec.Struct, frozen=True):
    """A channel's oldest open question, and how many there are."""

    channel_id: UUID
    channel_name: str
    asked_at: datetime
    open_questions: int
    asked_by: str
    question: str
    message_id: UUID


class Overview(msgspec.Struct, frozen=True):
    """The channels of the acting user that need somebody most."""

    worst_sentiment: list[WorstRow]
    fastest_declining: list[DecliningRow]
    oldest_unanswered: list[UnansweredRow]


async def get_intelligence(db: Database, tenant: Tenant, channel_id: UUID) -> Intelligence:
    """The current reading of a channel. Raises `RowMissing` for who is not its member."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.intelligence_summary, {"channel_id": channel_id})
    summary = found.value()
    if summary is None:
        raise RowMissing(NO_CHANNEL)
    return msgspec.convert(summary, Intelligence)


async def list_readings(
    db: Database, tenant: Tenant, channel_id: UUID, page: Page, *, days: int
) -> SentimentPage:
    """Readings of the last days. Raises `RowMissing` for who is not a member."""
    kind = listing("readings", channel=channel_id, days=days)
    at, last_id = decode_cursor(kind, page.cursor, tuple[datetime, UUID]) or (None, None)
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        channel = batch.add(sql.channel_shown, {"channel_id": channel_id})
        found = batch.add(
            sql.sentiment_readings,
            {
                "channel_id": channel_id,
                "days": days,
                "before_at": at,
                "before_id": last_id,
                "limit": page.limit + 1,
            },
            row=SentimentReading,
        )
    _require(channel.rows)
    return SentimentPage(*page.cut(kind, found.rows, lambda one: [one.read_at, one.id]))


async def list_topics(
    db: Database, tenant: Tenant, channel_id: UUID, page: Page, *, days: int
) -> TopicPage:
    """Topics mentioned in the last days. Raises `RowMissing` for who is not a member."""
    kind = listing("topics", channel=channel_id, days=days)
    at, key = decode_cursor(kind, page.cursor, tuple[datetime, str]) or (None, None)
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        channel = batch.add(sql.channel_shown, {"channel_id": channel_id})
        found = batch.add(
            sql.topics_of,
            {
                "channel_id": channel_id,
                "days": days,
                "before_at": at,
                "after_key": key,
                "limit": page.limit + 1,
            },
        )
    _require(channel.rows)
    rows, cursor = page.cut(
        kind, found.rows, lambda row: [row["last_mentioned_at"], row["topic_key"]]
    )
    return TopicPage(msgspec.convert(rows, list[TopicRow]), cursor)


async def get_overview(db: Database, tenant: Tenant) -> Overview:
    """Where the acting user is needed most, in one round trip."""
    most = {"limit": OVERVIEW}
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        worst = batch.add(sql.worst_sentiment, most, row=WorstRow)
        declining = batch.add(sql.fastest_declining, most, row=DecliningRow)
        unanswered = batch.add(sql.oldest_unanswered, most, row=UnansweredRow)
    return Overview(worst.rows, declining.rows, unanswered.rows)


async def start_analysis(transaction: Transaction, channel_id: UUID) -> StartedRun:
    """A run that brings a channel up to date, or the one under way. Raises `RowMissing`."""
    _require(await transaction.fetch(sql.channel_shown, {"channel_id": channel_id}))
    return await start_run(
        transaction,
        kind=ANALYZE,
        subject=str(channel_id),
        args={"channel_id": channel_id},
        max_attempts=3,
    )


def _require(rows: list[dict[str, Any]]) -> None:
    if not rows:
        raise RowMissing(NO_CHANNEL)
