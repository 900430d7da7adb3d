"""How far a job is, written often enough to watch and seldom enough to cost nothing."""

import asyncio
from collections.abc import Awaitable, Callable

from tidings.base.errors import LeaseLost

PROGRESS_INTERVAL = 0.25
"""Seconds between two writes of progress within a stage."""


class ProgressReport:
    """Writes what a job says of itself: at once, or when the interval since the last write ends."""

    def __init__(self, write: Callable[[str, int, int], Awaitable[bool]]) -> None:
        """`write` stores stage, done and total, and is false when it could not for the moment."""
        self._write = write
        self._turn = asyncio.Lock()
        self._stage: str | None = None
        self._written_at = 0.0
        self._latest: tuple[str, int, int] | None = None
        self._later: asyncio.Task[None] | None = None

    async def say(self, stage: str, done: int, total: int) -> None:
        """A new stage and the last step of one are written at once; of the rest, the latest is."""
        since = asyncio.get_running_loop().time() - self._written_at
        if stage == self._stage and done < total and since < PROGRESS_INTERVAL:
            self._latest = (stage, done, total)
            if self._later is None or self._later.done():
                self._later = asyncio.create_task(self._catch_up(PROGRESS_INTERVAL - since))
            return
        self._latest = None
        await self._put(stage, done, total)

    def close(self) -> None:
        """Write no more: the job has ended."""
        if self._later is not None:
            self._later.cancel()

    async def _catch_up(self, delay: float) -> None:
        await asyncio.sleep(delay)
        if self._latest is None:
            return
        latest, self._latest = self._latest, None
        try:
            await self._put(*latest)
        except LeaseLost:
            # The heartbeat says so to the handler.
            return

    async def _put(self, stage: str, done: int, total: int) -> None:
        async with self._turn:
            if await self._write(stage, done, total):
                self._stage, self._written_at = stage, asyncio.get_running_loop().time()
