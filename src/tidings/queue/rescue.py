"""Rescue: jobs of workers that died run again, and what is past its deadline ends."""

import asyncio

import msgspec
import structlog

from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.queue.duty import repeat, require
from tidings.queue.wake import WakeUp

sql = load_queries("tidings.queue")
log = structlog.get_logger(__name__)


class RescueConfig(msgspec.Struct, frozen=True):
    """Seconds between two looks, and most jobs taken back by one statement."""

    interval: float = 1.0
    batch: int = 100

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

    async def run(self, closing: asyncio.Event) -> None:
        """Look until `closing` is set."""
        await repeat("rescue", self.look, self._config.interval, closing)

    async def look(self) -> None:
        """Take back what is to be taken back now."""
        while True:
            async with self._db.system_batch() as batch:
                rescued = batch.add(sql.rescue_jobs, {"most": self._config.batch})
            for row in rescued.rows:
                log.warning("job rescued", job_id=str(row["id"]), status=row["status"])
                if row["status"] == "pending":
                    self._wake.jobs.set()
            if len(rescued.rows) < self._config.batch:
                return
