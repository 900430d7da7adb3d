"""Rescue: jobs of workers that died run again, and what is past its deadline ends."""

import asyncio
import math
from datetime import UTC, datetime

import msgspec
import structlog

from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.queue.duty import repeat, require
from tidings.queue.settle import settle_lanes
from tidings.queue.wake import WakeUp

sql = load_queries("tidings.queue")
log = structlog.get_logger(__name__)

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


class RescueConfig(msgspec.Struct, frozen=True):
    """Seconds between two looks, and most jobs that one statement takes back.

    `settle` and `keys` are the seconds between two times of what is done more rarely.
    """

    interval: float = 1.0
    batch: int = 100
    settle: float = 5.0
    keys: float = 60.0

    def __post_init__(self) -> None:
        """Raises `SettingInvalid`: a dead worker's jobs run again within 5 s of the lease's end."""
        require(0 < self.interval <= 4, "Rescue looks at least every 4 seconds.")
        require(self.batch >= 1, "Rescue takes back at least one job at once.")


class Rescuer:
    """Every worker rescues; of several at once each takes other rows."""

    def __init__(self, db: Database, config: RescueConfig, wake: WakeUp) -> None:
        """Sets `wake.jobs` when something is to be claimed again."""
        self._db = db
        self._config = config
        self._wake = wake
        self._since: datetime | None = None
        self._settled_at = -math.inf
        self._keys_at = -math.inf

    async def run(self, closing: asyncio.Event) -> None:
        """Look until `closing` is set."""
        await repeat("rescue", self.look, self._config.interval, closing)

    async def look(self) -> None:
        """Take back what is to be taken back now."""
        while True:
            async with self._db.system_batch() as batch:
                rescued = batch.add(
                    sql.rescue_jobs, {"most": self._config.batch, "since": self._since or _EVER}
                )
                since = batch.add(sql.oldest_claim, {"since": self._since or _EVER})
            self._since = since.value()
            for row in rescued.rows:
                log.warning("job rescued", job_id=str(row["id"]), status=row["status"])
                if row["status"] == "pending":
                    self._wake.jobs.set()
            if len(rescued.rows) < self._config.batch:
                break
        now = asyncio.get_running_loop().time()
        if now - self._settled_at >= self._config.settle:
            self._settled_at = now
            await settle_lanes(self._db)
        if now - self._keys_at >= self._config.keys:
            self._keys_at = now
            async with self._db.system_batch() as batch:
                batch.queue(sql.rescue_keys)
