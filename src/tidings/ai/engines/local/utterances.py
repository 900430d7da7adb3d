"""Stand-in until the merge: how an utterance reads, by a few words."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

_GOOD = re.compile(
    r"\b(great|thanks|thank|love|perfect|happy|good|excellent|wonderful)\b", re.IGNORECASE
)
_BAD = re.compile(
    r"\b(bad|broken|angry|terrible|awful|disappointed|unacceptable|fail\w*|wrong|worst|late)\b",
    re.IGNORECASE,
)


class Said(msgspec.Struct, frozen=True):
    """One message as an engine is given it."""

    speaker: str
    text: str
    at: datetime | None = None


class Utterance(msgspec.Struct, frozen=True):
    """How one message reads; `score` from −1 to 1."""

    sentiment: Literal["positive", "neutral", "negative"]
    score: float
    is_question: bool
    is_request: bool
    is_decision: bool
    is_commitment: bool


def read_utterances(said: Sequence[Said], before: Sequence[Said] = ()) -> list[Utterance]:
    """Each message, in context; `before` is context only."""
    return [_read(one.text) for one in said]


def _read(text: str) -> Utterance:
    good, bad = len(_GOOD.findall(text)), len(_BAD.findall(text))
    score = 0.0 if good == bad else (good - bad) / (good + bad) * 0.8
    return Utterance(
        "positive" if score > 0 else "negative" if score < 0 else "neutral",
        score,
        "?" in text,
        bool(re.search(r"\b(please|could you|can you)\b", text, re.IGNORECASE)),
        bool(
            re.search(r"\b(we decided|agreed|let us go with|let's go with)\b", text, re.IGNORECASE)
        ),
        bool(re.search(r"\b(I will|I'll|we will|we'll)\b", text, re.IGNORECASE)),
    )
