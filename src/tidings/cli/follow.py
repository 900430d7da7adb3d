"""Waiting for a run, and working on it here when nobody else does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

from tidings.base.errors import RunCancelled, TidingsError
from tidings.cli.output import say
from tidings.cli.progress import Bar, open_bar
from tidings.cli.session import Session
from tidings.queue.runs import Run, get_run
from tidings.wiring import System, build_worker, realtime

PATIENCE = 1.5
"""Seconds that a worker elsewhere gets to take the run; one that is idle claims within a second."""

_LOOK = 0.1
_GRACE = 1.0


async def follow(session: Session, run_id: UUID, *, seconds: float, here: bool | None) -> None:
    """Wait until the run is complete, showing how far it is.

    `here` True works on it in this process at once, None when it still waits after `PATIENCE`.
    Raises `TidingsError` with the run's error, or when `seconds` are over; the run goes on then,
    if there is a worker.
    """
    with open_bar() as bar:
        try:
            async with asyncio.timeout(seconds):
                run = await _wait(session, run_id, bar, here=here)
        except TimeoutError:
            raise TidingsError(
                f"The run did not end within {seconds:g} seconds; a worker goes on with it, and "
                "`tidings engagement show` prints the summary then."
            ) from None
    if run.status == "cancelled":
        raise RunCancelled
    if run.status == "error":
        raise TidingsError(run.error)


async def _wait(session: Session, run_id: UUID, bar: Bar, *, here: bool | None) -> Run:
    if here is None:
        run = await _taken(session, run_id, bar)
        here = run.status == "queued"
        if here:
            say("No worker takes it; this process does.")
    if not here:
        return await _ended(session, run_id, bar, None)
    async with working(session.system) as work:
        return await _ended(session, run_id, bar, work)


async def _taken(session: Session, run_id: UUID, bar: Bar) -> Run:
    """The run once a worker has it, or as it is after `PATIENCE`."""
    until = asyncio.get_running_loop().time() + PATIENCE
    while (run := await _look(session, run_id, bar)).status == "queued":
        if asyncio.get_running_loop().time() > until:
            break
        await asyncio.sleep(_LOOK)
    return run


async def _ended(session: Session, run_id: UUID, bar: Bar, work: asyncio.Task[None] | None) -> Run:
    while (run := await _look(session, run_id, bar)).is_live:
        if work is not None and work.done():
            work.result()
            raise TidingsError("The worker stopped before the run ended; run it again.")
        await asyncio.sleep(_LOOK)
    return run


async def _look(session: Session, run_id: UUID, bar: Bar) -> Run:
    run = await get_run(session.db, session.tenant, run_id)
    progress = run.progress
    bar.at(progress.stage or run.status, progress.done, progress.total)
    return run


@asynccontextmanager
async def working(system: System) -> AsyncIterator[asyncio.Task[None]]:
    """A worker in this process for the block; after it, what it holds is given back."""
    settings = system.settings.model_copy(update={"shutdown_grace": _GRACE})
    async with realtime(system) as (_, relay):
        worker = build_worker(replace(system, settings=settings), relay)
        work = asyncio.create_task(worker.run())
        try:
            yield work
        finally:
            worker.stop()
            await asyncio.gather(work, return_exceptions=True)
