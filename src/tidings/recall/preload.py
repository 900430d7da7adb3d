"""Fills a cache that came on with what was in use lately, and keeps it filled on a schedule."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from tidings.realtime.duty import log_trouble
from tidings.recall.cache import Recall

Preload = Callable[[Recall, int], Awaitable[None]]
"""Reads through the cache what may be asked for next, up to so many entries of ordinary size."""

SHARE = 0.25
"""The part of the cache that all preloading together may fill."""

log = structlog.get_logger(__name__)


class Preloader:
    """Runs the preloads of a process's cache; one that fails costs nothing but its entries."""

    def __init__(self, recall: Recall, preloads: Sequence[Preload], *, interval: float) -> None:
        """`interval` is the seconds between two rounds: as long as entries last."""
        self._recall = recall
        self._preloads = preloads
        self._interval = interval

    async def run(self) -> None:
        """Preload whenever the cache is on, until cancelled."""
        while True:
            await self._recall.on.wait()
            share = int(self._recall.stats().most * SHARE) // len(self._preloads)
            for preload in self._preloads:
                try:
                    await preload(self._recall, share)
                except Exception as error:
                    log_trouble(log, "preload_failed", error)
            await asyncio.sleep(self._interval)
