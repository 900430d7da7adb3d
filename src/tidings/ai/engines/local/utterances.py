"""STANDIN until the merge with the branch `engine`: what a message does, by a few cues."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

_GOOD = re.compile(r"\b(?:thanks|thank|great|perfect|love|happy|excellent|good)\b", re.IGNORECASE)
_BAD = re.compile(
    r"\b(?:angry|terrible|broken|awful|unacceptable|disappointed|frustrat\w*|worst|bad)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(r"\b(?:could you|can you|would you|please)\b", re.IGNORECASE)
_DECIDES = re.compile(r"\b(?:we decided|let's go with|agreed|we will go)\b", re.IGNORECASE)
_COMMITS = re.compile(r"\b(?:i will|i'll|we'll)\b", re.IGNORECASE)


class Said(msgspec.Struct, frozen=True):
    """One message of a conversation."""

    speaker: str
    text: str
    at: datetime | None = None


class Utterance(msgspec.Struct, frozen=True):
    """What a message does."""

    sentiment: Literal["positive", "neutral", "negative"]
    score: float
    is_question: bool
    is_request: bool
    is_decision: bool
    is_commitment: bool


def read_utterances(said: Sequence[Said], before: Sequence[Said] = ()) -> list[Utterance]:
    """Each message by itself."""
    return [_read(each.text) for each in said]


def _read(text: str) -> Utterance:
    score = float(len(_GOOD.findall(text)) - len(_BAD.findall(text)))
    score = max(-1.0, min(1.0, score))
    sentiment: Literal["positive", "neutral", "negative"] = "neutral"
    if score:
        sentiment = "positive" if score > 0 else "negative"
    return Utterance(
        sentiment,
        score,
        "?" in text,
        _ASKS.search(text) is not None,
        _DECIDES.search(text) is not None,
        _COMMITS.search(text) is not None,
    )
