"""Cron: each tick of a schedule is run by one worker, however many there are."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
import structlog

from tidings.base import clock
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.queue.decide import problem
from tidings.queue.duty import attempt, require, wait_any
from tidings.queue.schedule import Schedule

sql = load_queries("tidings.queue")
log = structlog.get_logger(__name__)

LATE = timedelta(seconds=60)
"""A tick that nobody ran within this time was missed."""


class CronEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A duty of the whole installation that runs at the ticks of a schedule.

    `missed`: what to do about a tick that came while no worker was up; `latest` runs the newest
    one once, `skip` waits for the next. `seconds` is how long a run may take: then it is stopped,
    and when its worker died, another one runs the tick.
    """

    name: str
    schedule: Schedule
    run: Callable[[], Awaitable[None]]
    missed: Literal["latest", "skip"] = "latest"
    seconds: float = 600.0


class CronConfig(msgspec.Struct, frozen=True):
    """Most seconds between two looks; a look comes sooner when a tick is due."""

    most_pause: float = 30.0

    def __post_init__(self) -> None:
        """Raises `SettingInvalid`."""
        require(0 < self.most_pause <= 60, "Cron looks at least every minute.")


class CronRunner:
    """Looks for due ticks and runs those that this worker wins."""

    def __init__(
        self, db: Database, worker: str, config: CronConfig, entries: Sequence[CronEntry]
    ) -> None:
        """Raises ValueError when two entries share a name."""
        if len({entry.name for entry in entries}) < len(entries):
            raise ValueError("two schedules share a name")
        self._db = db
        self._worker = worker
        self._config = config
        self._entries = entries
        self._running: dict[str, asyncio.Task[None]] = {}
        self._ticks: set[asyncio.Task[None]] = set()  # with those that only say that they ended

    async def run(self, closing: asyncio.Event) -> None:
        """Look until `closing` is set; runs still under way are then stopped."""
        try:
            while self._entries and not closing.is_set():
                await attempt("cron", self.look)
                await wait_any([closing], self._pause())
        finally:
            for task in self._running.values():
                task.cancel()
            await self.wait_runs()

    async def look(self) -> None:
        """Try for every due tick, and start the runs that this worker won."""
        now = clock.now()
        for entry in self._entries:
            tick = entry.schedule.latest(now)
            is_missed = now - tick > LATE
            if entry.name in self._running or (is_missed and entry.missed == "skip"):
                continue
            if await self._win(entry, tick):
                task = asyncio.create_task(self._tick(entry, tick))
                self._running[entry.name] = task
                self._ticks.add(task)
                task.add_done_callback(self._ticks.discard)

    async def wait_runs(self) -> None:
        """Return when no run is under way and every end is said."""
        await asyncio.gather(*self._ticks, return_exceptions=True)

    async def _win(self, entry: CronEntry, tick: datetime) -> bool:
        async with self._db.system_batch() as batch:
            won = batch.add(
                sql.fire_cron,
                {
                    "name": entry.name,
                    "tick": tick,
                    # A little longer than the run may take, so that no second one overlaps it.
                    "lease": timedelta(seconds=entry.seconds + 10),
                    "worker": self._worker,
                },
            )
        return bool(won.value())

    async def _tick(self, entry: CronEntry, tick: datetime) -> None:
        log.debug("schedule ticks", schedule=entry.name, tick=tick.isoformat())
        said = None
        try:
            async with asyncio.timeout(entry.seconds):
                await entry.run()
        except Exception as error:
            log.exception("schedule failed", schedule=entry.name)
            said = problem(error)
        finally:
            del self._running[entry.name]
        params = {"name": entry.name, "tick": tick, "worker": self._worker, "problem": said}

        async def finish() -> None:
            async with self._db.system_batch(repeatable=True) as batch:
                batch.queue(sql.finish_cron, params)

        await attempt("cron", finish)

    def _pause(self) -> float:
        now = clock.now()
        due = min(entry.schedule.following(now) for entry in self._entries)
        return min(self._config.most_pause, max(0.01, (due - now).total_seconds()))
