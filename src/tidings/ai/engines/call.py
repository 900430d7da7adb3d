"""What one call to a provider gives: a reply with its usage, or the reason why there is none."""

import math
from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

# The providers' own rule of thumb for English; only where they do not tell the number.
CHARACTERS_PER_TOKEN = 4

TOKENS_AROUND = 1_000
"""Most tokens that a provider adds of its own to what it is told: roles, tools, its own notes."""

LONGEST_TOLD_WAIT = 86_400.0
"""Seconds that a provider may ask to be left alone for."""

TOOL = "answer"
"""Name of the only tool, by which an answer is given."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one call; `prompt_tokens` include the cached ones."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    estimated: bool = False

    @property
    def is_untold(self) -> bool:
        """Whether it may have cost more than its input: it was sent, and no answer told what."""
        return self.estimated and not self.completion_tokens


class Reply(msgspec.Struct, frozen=True):
    """An answer as it came, and what it used. `text` is the JSON that should fit the schema; None
    when there is nothing to read or it ran out of room, and then `problem` says why."""

    usage: Usage
    text: str | None
    problem: str | None = None


class Exchange(Protocol):
    """One question to a model: asked, refused, asked again; one HTTP call at a time."""

    async def ask(self) -> Reply:
        """Send everything so far and wait for the answer: one HTTP call. Raises `CallFailed`."""

    def refuse(self, feedback: str) -> None:
        """Say what was wrong with the last answer, so that the next `ask` repairs it."""

    def told(self) -> str:
        """All text that the next `ask` tells the provider."""

    def sent(self) -> Usage:
        """What a call that may have arrived costs at least: its input, counted from the text."""


class TextStream(Protocol):
    """One answer in plain text as it comes; iterate it once."""

    usage: Usage
    """What is known by now of what it costs; until its end, its input alone."""

    def __aiter__(self) -> AsyncIterator[str]:
        """Pieces of text. Raises `CallFailed` when it breaks off."""


class CallFailed(Exception):
    """No reply. `reason` is short and holds nothing of the request; `usage` is what it may cost."""

    def __init__(
        self,
        reason: str,
        *,
        is_passing: bool = False,
        retry_after: float | None = None,
        usage: Usage | None = None,
    ) -> None:
        """`is_passing`: the same call may work later, after `retry_after` seconds if told."""
        super().__init__(reason)
        self.reason = reason
        self.is_passing = is_passing
        self.retry_after = _bounded(retry_after)
        self.usage = usage or Usage()


def _bounded(wait: float | None) -> float | None:
    # Told by a server that may be out of its mind: a wait has to fit into a calendar.
    if wait is None or math.isnan(wait):
        return None
    return min(max(0.0, wait), LONGEST_TOLD_WAIT)


def estimate_tokens(text: str) -> int:
    """Tokens of a text, counted from its length; at least one."""
    return max(1, -(-len(text) // CHARACTERS_PER_TOKEN))


def most_usage(told: str, most_tokens: int) -> Usage:
    """What a call can use at most: no token is shorter than a byte, no answer longer than asked."""
    return Usage(
        prompt_tokens=len(told.encode()) + TOKENS_AROUND,
        completion_tokens=most_tokens,
        estimated=True,
    )
