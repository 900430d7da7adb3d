"""Running a handler to one of its ends, whatever it raises or refuses to do."""

import asyncio
import random

import msgspec
import structlog

from tidings.base.errors import LeaseLost, RunCancelled, TidingsError
from tidings.queue.context import Handler
from tidings.queue.decide import backoff, may_retry, problem
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


class Stopped(msgspec.Struct, frozen=True):
    """The handler was interrupted, or noticed itself that it should stop."""

    reason: StopReason


Outcome = Completed | Ended | Failed | Stopped


async def execute(held: Held, handler: Handler, *, patience: float = PATIENCE) -> Outcome:
    """Run the handler until it ends, is stopped, or meets its deadline."""
    task = held.task = asyncio.ensure_future(_call(held, handler))
    stopped = asyncio.create_task(held.stopped.wait())
    try:
        await asyncio.wait(
            {task, stopped},
            timeout=held.job.seconds_left,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not task.done():
            held.stop("deadline")
            await asyncio.wait({task}, timeout=patience)
    except asyncio.CancelledError:
        task.cancel()
        raise
    finally:
        stopped.cancel()
    if not task.done():
        # Its late result loses: the lease is given up below.
        log.error("handler does not stop", kind=held.job.kind, reason=held.reason)
        return Stopped(held.reason or "deadline")
    return _outcome(held, task)


async def _call(held: Held, handler: Handler) -> str | None:
    try:
        return encode_result(await handler(held.context, held.job.args))
    finally:
        held.context.close()


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
    if not isinstance(error, TidingsError):
        log.error("handler failed unexpectedly", kind=held.job.kind, exc_info=error)
    chance = random.random()  # noqa: S311 - jitter
    return Failed(problem(error), may_retry(error), backoff(held.job.attempt, chance, retry_after))
