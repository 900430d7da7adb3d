"""What is kept of a channel, so that reading what is new never needs what was read before.

Everything in it is bounded: its size follows from how a channel lives now, not from its past.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

Sentiment = Literal["positive", "neutral", "negative", "mixed"]
Trend = Literal["increasing", "stable", "declining"]
Direction = Literal["in", "out"]
Waiting = Literal["pending_decision", "next_step", "clarification"]
FollowupType = Literal["unanswered_question", "pending_decision", "next_step", "clarification"]

MOST_READINGS = 24
MOST_TOPICS = 8
MOST_PARTICIPANTS = 200
MOST_SAMPLES = 200
MOST_QUESTIONS = 50
MOST_PENDING = 20
MOST_FOLLOWUPS = 3
ACTIVITY_HOURS = 15 * 24
"""Two windows of a week, and the hour that has begun."""


class Quote(msgspec.Struct, frozen=True):
    """Words of a message, letter by letter."""

    message_id: UUID
    quote: str


class Reading(msgspec.Struct, frozen=True):
    """How one message was read; `quote` where it leans to a side."""

    message_id: UUID
    by: str
    score: float
    quote: str = ""


class Participant(msgspec.Struct, frozen=True):
    """Who writes in a channel, as the source names them."""

    id: str
    name: str
    direction: Direction
    messages: int
    last_seen_at: datetime


class Question(msgspec.Struct, frozen=True):
    """A question that nobody else has answered since `asked_at`."""

    message_id: UUID
    external_id: str
    thread_id: UUID | None
    asked_by: str
    sender_id: str
    direction: Direction
    asked_at: datetime
    quote: str


class Pending(msgspec.Struct, frozen=True):
    """Something said that waits for what comes after it."""

    type: Waiting
    message_id: UUID
    external_id: str
    thread_id: UUID | None
    by: str
    sender_id: str
    direction: Direction
    at: datetime
    quote: str


class DetectedTopic(msgspec.Struct, frozen=True):
    """A topic of late: `confidence` 0 to 1 fades while others are spoken of."""

    topic: str
    confidence: float
    mentions: int
    last_mentioned_at: datetime


class Times(msgspec.Struct, frozen=True):
    """How soon messages of the other side were answered, in seconds."""

    count: int
    median_seconds: float | None
    p90_seconds: float | None


class Followup(msgspec.Struct, frozen=True):
    """Something to do next, and the words of the messages that it follows from."""

    type: FollowupType
    text: str
    evidence: list[Quote]


Sample = tuple[float, float, Direction]
"""An answer: when it came (seconds since 1970), how long it took (seconds), its direction."""


class State(msgspec.Struct, kw_only=True):
    """The row of a channel, without what the database keeps by itself."""

    position: int = 0
    current_sentiment: Sentiment = "neutral"
    sentiment_score: float = 0.0
    sentiment_reason: str = ""
    sentiment_evidence: list[Quote] = []
    recent_readings: list[Reading] = []
    detected_topics: list[DetectedTopic] = []
    topic_confidence: dict[str, float] = {}
    participant_engagement: list[Participant] = []
    engagement_trend: Trend = "stable"
    engagement_change: float = 0.0
    activity: dict[int, int] = {}
    response_times: dict[Direction, Times] = {}
    response_samples: list[Sample] = []
    open_questions: list[Question] = []
    pending: list[Pending] = []
    suggested_followups: list[Followup] = []
    message_count: int = 0
    first_message_at: datetime | None = None
    last_message_at: datetime | None = None
    analysis_count: int = 0
    engine: str = "local"
    refined_position: int = 0


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it is read; `is_new` is False for those that are context only."""

    id: UUID
    position: int
    external_id: str
    thread_id: UUID | None
    reply_to: str | None
    direction: Direction
    sender_id: str
    sender_name: str
    body: str
    automatic: str | None
    sent_at: datetime
    is_new: bool

    @property
    def name(self) -> str:
        """Who wrote it, for people."""
        return self.sender_name or self.sender_id

    @property
    def is_of_a_person(self) -> bool:
        """Whether a person wrote it, not a machine."""
        return self.automatic is None


def to_columns(state: State) -> dict[str, Any]:
    """The state as parameters: JSON texts for the columns that hold JSON."""
    columns: dict[str, Any] = {}
    for name in state.__struct_fields__:
        value = getattr(state, name)
        is_json = isinstance(value, list | dict)
        columns[name] = msgspec.json.encode(value).decode() if is_json else value
    return columns
