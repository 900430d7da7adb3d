"""The jobs that this worker holds now, and why one of them was stopped."""

import asyncio
from collections.abc import Iterator
from typing import Literal, Protocol

from tidings.queue.claim import ClaimedJob
from tidings.queue.context import JobContext

StopReason = Literal["lost", "cancelled", "deadline", "shutdown"]


class Interruptible(Protocol):
    """A handler under way."""

    has_ended: bool

    def interrupt(self) -> None:
        """Make it end soon."""


class Held:
    """One claimed job from its claim to the acknowledgement of its end."""

    __slots__ = ("claimed_at", "context", "execution", "job", "leased_until", "reason")

    def __init__(
        self, job: ClaimedJob, context: JobContext, claimed_at: float, leased_until: float
    ) -> None:
        """Both in the event loop's time; after `leased_until` the job may be another's."""
        self.job = job
        self.claimed_at = claimed_at
        self.context = context
        self.leased_until = leased_until
        self.execution: Interruptible | None = None
        self.reason: StopReason | None = None

    @property
    def has_ended(self) -> bool:
        """Whether its handler is done with it, or completed it in its own transaction."""
        return self.context.is_finished or (self.execution is not None and self.execution.has_ended)

    def stop(self, reason: StopReason) -> None:
        """Interrupt the handler, or never start it; the first reason counts.

        Does nothing once it has ended.
        """
        if self.reason is not None or (self.execution is not None and self.execution.has_ended):
            return
        self.reason = reason
        if reason == "cancelled":
            self.context.is_cancelled = True
        if self.execution is not None:
            self.execution.interrupt()


class HeldJobs:
    """What is claimed and not yet acknowledged as ended."""

    def __init__(self) -> None:
        """Empty."""
        self._held: set[Held] = set()
        self.empty = asyncio.Event()
        self.empty.set()

    def __iter__(self) -> Iterator[Held]:
        return iter(list(self._held))

    def __len__(self) -> int:
        return len(self._held)

    def add(self, held: Held) -> None:
        """It was claimed."""
        self._held.add(held)
        self.empty.clear()

    def remove(self, held: Held) -> None:
        """It has ended, or is another worker's."""
        self._held.discard(held)
        if not self._held:
            self.empty.set()
