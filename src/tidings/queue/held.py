"""The jobs that this worker holds now, and why one of them was stopped."""

import asyncio
from collections.abc import Iterator
from typing import Any, Literal

from tidings.queue.claim import ClaimedJob
from tidings.queue.context import JobContext

StopReason = Literal["lost", "cancelled", "deadline", "shutdown"]


class Held:
    """One claimed job from its claim to the acknowledgement of its end."""

    def __init__(self, job: ClaimedJob, context: JobContext, leased_until: float) -> None:
        """`leased_until` is in the event loop's time: after it the job may be another's."""
        self.job = job
        self.context = context
        self.leased_until = leased_until
        self.task: asyncio.Task[Any] | None = None
        self.reason: StopReason | None = None
        self.stopped = asyncio.Event()

    def stop(self, reason: StopReason) -> None:
        """Interrupt the handler; the first reason counts. Does nothing once it has ended."""
        if self.reason is not None or (self.task is not None and self.task.done()):
            return
        self.reason = reason
        if reason == "cancelled":
            self.context.is_cancelled = True
        if self.task is not None:
            self.task.cancel()
        self.stopped.set()


class HeldJobs:
    """Up to `slots` held jobs."""

    def __init__(self, slots: int) -> None:
        """Empty."""
        self._slots = slots
        self._held: set[Held] = set()
        self.freed = asyncio.Event()
        self.empty = asyncio.Event()
        self.empty.set()

    def __iter__(self) -> Iterator[Held]:
        return iter(list(self._held))

    def __len__(self) -> int:
        return len(self._held)

    @property
    def free(self) -> int:
        """How many more this worker may hold."""
        return self._slots - len(self._held)

    def add(self, held: Held) -> None:
        """Take a slot."""
        self._held.add(held)
        self.empty.clear()

    def remove(self, held: Held) -> None:
        """Give the slot back."""
        self._held.discard(held)
        self.freed.set()
        if not self._held:
            self.empty.set()
