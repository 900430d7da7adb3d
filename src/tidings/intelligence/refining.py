"""What a provider is asked about a channel, and what of its answer stands."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import msgspec
from pydantic import BaseModel, Field

from tidings.ai.engines.local.utterances import Said, read_utterances
from tidings.ai.operation import Operation
from tidings.ai.prompts import load_prompt
from tidings.base.text import normalise_quote
from tidings.intelligence.decide import SIDED, Mood
from tidings.intelligence.state import (
    MOST_FOLLOWUPS,
    DetectedTopic,
    Followup,
    Message,
    Quote,
    Sentiment,
)
from tidings.intelligence.words import orders_its_reader, words_of

MESSAGES = 60
"""How many of the newest messages a provider is shown."""
_LONGEST = 1500
"""Characters of one message that it is shown."""


class SaidQuote(BaseModel):
    """A quote of a provider, by the number of the message."""

    message: int
    quote: str = Field(min_length=1, max_length=500)


class SaidSentiment(BaseModel):
    """How the conversation feels."""

    label: Literal["positive", "neutral", "negative", "mixed"]
    score: float = Field(ge=-1, le=1)
    reason: str = Field(min_length=1, max_length=300)
    evidence: list[SaidQuote] = Field(max_length=5)


class SaidTopic(BaseModel):
    """One topic."""

    topic: str = Field(min_length=1, max_length=80)
    confidence: float = Field(ge=0, le=1)
    messages: list[int] = Field(min_length=1)


class SaidFollowup(BaseModel):
    """One thing to do next."""

    type: Literal["unanswered_question", "pending_decision", "next_step", "clarification"]
    text: str = Field(min_length=1, max_length=200)
    evidence: list[SaidQuote] = Field(max_length=5)


class SaidAnswer(BaseModel):
    """What a provider answers."""

    sentiment: SaidSentiment
    topics: list[SaidTopic] = Field(default_factory=list, max_length=8)
    followups: list[SaidFollowup] = Field(default_factory=list, max_length=3)


class Refinement(msgspec.Struct, frozen=True):
    """What of the answer its quotes carry; None where they carry no sentiment."""

    mood: Mood | None
    topics: list[DetectedTopic]
    followups: list[Followup]


class Shown(msgspec.Struct, frozen=True):
    """The messages that a provider is shown, oldest first."""

    messages: Sequence[Message]


def _render(shown: Shown) -> str:
    """One message a line at the margin: what is written below it is set in, whatever it says."""
    return "\n".join(
        f"[{number}] {one.direction} {' '.join(one.name.split())} ({one.sent_at:%Y-%m-%d %H:%M}): "
        + words_of(one.body)[:_LONGEST].replace("\n", "\n    ")
        for number, one in enumerate(shown.messages)
    )


def _accept(shown: Shown, answer: SaidAnswer) -> Refinement:
    said = answer.sentiment
    evidence = _standing(shown, said.evidence)
    mood = None
    if evidence and _may_carry(said.label, evidence):
        mood = Mood(said.label, _fitting(said.label, said.score), said.reason.strip(), evidence)
    return Refinement(
        mood,
        [topic for one in answer.topics if (topic := _topic(shown, one)) is not None],
        [
            Followup(one.type, one.text.strip(), quotes)
            for one in answer.followups
            if (quotes := _standing(shown, one.evidence))
        ],
    )


def _may_carry(label: Sentiment, evidence: Sequence[Quote]) -> bool:
    """Nothing but anger makes no conversation positive, whatever a provider was talked into."""
    read = read_utterances([Said("", one.quote) for one in evidence])
    return label != "positive" or any(one.score > -SIDED for one in read)


def _speaks(shown: Shown, number: int) -> bool:
    """Whether there is such a message, and it does not tell its reader what to answer."""
    return 0 <= number < len(shown.messages) and not orders_its_reader(shown.messages[number].body)


def _standing(shown: Shown, quotes: Sequence[SaidQuote]) -> list[Quote]:
    """The quotes that stand, letter by letter, in the message that they name.

    Those of a message that tells its reader what to answer carry nothing.
    """
    found: list[Quote] = []
    for one in quotes:
        if _speaks(shown, one.message):
            message = shown.messages[one.message]
            wanted = normalise_quote(one.quote)
            if wanted and wanted in normalise_quote(words_of(message.body)):
                found.append(Quote(message.id, one.quote.strip()))
    return found[:3]


def _fitting(label: Sentiment, score: float) -> float:
    """The score on the side of its label."""
    if label == "positive":
        return abs(score)
    if label == "negative":
        return -abs(score)
    return score if label == "mixed" else max(-0.15, min(0.15, score))


def _topic(shown: Shown, said: SaidTopic) -> DetectedTopic | None:
    about = [shown.messages[n] for n in sorted(set(said.messages)) if _speaks(shown, n)]
    name = " ".join(said.topic.split())
    if not about or not name:
        return None
    newest = max(message.sent_at for message in about)
    return DetectedTopic(name, round(said.confidence, 4), len(about), newest)


def filled(followups: Sequence[Followup], local: Sequence[Followup]) -> list[Followup]:
    """A provider's follow-ups, and ours about other messages where there is room."""
    about: set[UUID] = {quote.message_id for one in followups for quote in one.evidence}
    rest = [one for one in local if not about & {quote.message_id for quote in one.evidence}]
    return [*followups, *rest][:MOST_FOLLOWUPS]


def _local(_: Shown) -> Refinement:
    """The local engine has read all of it already, message by message."""
    return Refinement(None, [], [])


REFINE_CHANNEL: Operation[Shown, Refinement] = Operation(
    name="intelligence.refine_channel",
    prompt=load_prompt("tidings.intelligence", "refine_channel"),
    schema=SaidAnswer,
    local=_local,
    render=_render,
    accept=_accept,
    local_version="local-1",
    most_tokens=2048,
)
