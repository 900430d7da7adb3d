"""Running a handler to one of its ends, whatever it raises or refuses to do."""

import asyncio
import random
from collections.abc import Callable

import msgspec
import structlog

from tidings.base.errors import LeaseLost, RunCancelled, TidingsError
from tidings.base.logs import work_in_hand
from tidings.queue.context import Handler
from tidings.queue.decide import backoff, blocks, may_retry, problem
from tidings.queue.held import Held, StopReason
from tidings.queue.result import encode_result

log = structlog.get_logger(__name__)

PATIENCE = 1.0
"""Seconds that a stopped handler gets to end; then the worker goes on without it. Short, because at
shutdown they come on top of the grace."""


class Completed(msgspec.Struct, frozen=True):
    """The handler returned; the job is still to be completed with this result (JSON)."""

    result: str | None


class Ended(msgspec.Struct, frozen=True):
    """The handler completed the job in its own transaction."""


class Failed(msgspec.Struct, frozen=True):
    """The try failed; `delay` in seconds."""

    problem: str
    may_retry: bool
    delay: float


class Blocked(msgspec.Struct, frozen=True):
    """A budget or a rate refuses it for `delay` seconds."""

    reason: str
    delay: float


class Stopped(msgspec.Struct, frozen=True):
    """The handler was interrupted, or noticed itself that it should stop."""

    reason: StopReason


Outcome = Completed | Ended | Failed | Blocked | Stopped


class Execution:
    """One try under way: a task for the handler, and nothing else unless something goes wrong."""

    __slots__ = ("_deadline", "_ended", "_handler", "_held", "_patience", "_task", "has_ended")

    def __init__(
        self,
        held: Held,
        handler: Handler,
        ended: Callable[[Held, Outcome], None],
        *,
        patience: float = PATIENCE,
    ) -> None:
        """Start the handler; `ended` is called once, with how it ended.

        It is stopped at its deadline. A handler that does not stop is left behind after `patience`
        seconds: its late result loses, because its lease is given up.
        """
        loop = asyncio.get_running_loop()
        self._held = held
        self._handler = handler
        self._ended = ended
        self._patience = patience
        self.has_ended = False
        self._task = loop.create_task(self._call())
        left = held.job.seconds_left
        self._deadline = None
        if left is not None:
            self._deadline = loop.call_at(held.claimed_at + left, held.stop, "deadline")
        held.execution = self
        self._task.add_done_callback(self._done)

    def interrupt(self) -> None:
        """Cancel the handler, and leave it behind when it does not care."""
        self._task.cancel()
        asyncio.get_running_loop().call_later(self._patience, self._abandon)

    async def _call(self) -> str | None:
        job = self._held.job
        work_in_hand.set(job)
        try:
            return encode_result(await self._handler(self._held.context, job.args))
        finally:
            self._held.context.close()

    def _done(self, task: "asyncio.Task[str | None]") -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        outcome = _outcome(self._held, task)
        if not self.has_ended:
            self.has_ended = True
            self._ended(self._held, outcome)

    def _abandon(self) -> None:
        if self.has_ended:
            return
        self.has_ended = True
        held = self._held
        log.error("handler does not stop", kind=held.job.kind, reason=held.reason)
        self._ended(held, Stopped(held.reason or "deadline"))


def _outcome(held: Held, task: "asyncio.Task[str | None]") -> Outcome:
    error = asyncio.CancelledError() if task.cancelled() else task.exception()
    if error is None:
        return Ended() if held.context.is_finished else Completed(task.result())
    if held.reason is not None:
        return Stopped(held.reason)
    if isinstance(error, RunCancelled):
        return Stopped("cancelled")
    if isinstance(error, LeaseLost):
        return Stopped("lost")
    retry_after = error.retry_after if isinstance(error, TidingsError) else None
    if blocks(error) and retry_after is not None:
        return Blocked(problem(error), retry_after)
    if not isinstance(error, TidingsError):
        log.error("handler failed unexpectedly", kind=held.job.kind, exc_info=error)
    chance = random.random()  # noqa: S311 - jitter
    return Failed(problem(error), may_retry(error), backoff(held.job.attempt, chance, retry_after))
