"""STANDIN until the merge: what each message does, by plain cues. The engine's own replaces it."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

_ASKS = re.compile(r"\?\s*$", re.MULTILINE)
_REQUESTS = re.compile(r"\b(?:can|could|would|will) you\b|\bplease\b", re.IGNORECASE)
_DECIDES = re.compile(
    r"\b(?:we(?:'ve| have)? (?:decided|agreed)|let'?s go with|agreed)\b", re.IGNORECASE
)
_COMMITS = re.compile(r"\b(?:I'?ll|I will|let me|I am going to|I'm going to)\b", re.IGNORECASE)


class Said(msgspec.Struct, frozen=True):
    """One message as it was written."""

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
    """What each message does; `before` is context only."""
    return [
        Utterance(
            "neutral",
            0.0,
            _ASKS.search(one.text) is not None,
            _REQUESTS.search(one.text) is not None,
            _DECIDES.search(one.text) is not None,
            _COMMITS.search(one.text) is not None,
        )
        for one in said
    ]
