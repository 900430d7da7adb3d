"""Heartbeats: one statement renews every lease of a worker, and hears which jobs should stop."""

import asyncio
from datetime import timedelta

import msgspec
import structlog

from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.queue.duty import repeat, require
from tidings.queue.held import HeldJobs
from tidings.queue.wake import WakeUp

sql = load_queries("tidings.queue")
log = structlog.get_logger(__name__)


class HeartbeatConfig(msgspec.Struct, frozen=True):
    """Seconds between two heartbeats, and how long each makes a lease."""

    interval: float = 5.0
    lease: float = 15.0

    def __post_init__(self) -> None:
        """Raises `SettingInvalid`: one heartbeat may be missed without losing the lease."""
        require(0 < self.interval <= self.lease / 2, "A heartbeat is at most half a lease apart.")


class Heartbeat:
    """Keeps the leases of held jobs, and stops those that are lost or cancelled."""

    def __init__(
        self, db: Database, config: HeartbeatConfig, held_jobs: HeldJobs, wake: WakeUp
    ) -> None:
        """`wake.cancels` makes a beat come at once."""
        self._db = db
        self._config = config
        self._held_jobs = held_jobs
        self._wake = wake

    async def run(self, closing: asyncio.Event) -> None:
        """Beat until `closing` is set."""
        interval = self._config.interval
        await repeat("heartbeat", self.beat, interval, closing, self._wake.cancels)

    async def beat(self) -> None:
        """Renew all leases once; without the database, stop what may be another's by now."""
        held_jobs = list(self._held_jobs)
        if not held_jobs:
            return
        loop = asyncio.get_running_loop()
        sent_at = loop.time()
        try:
            async with self._db.system_batch(repeatable=True) as batch:
                answer = batch.add(
                    sql.heartbeat_jobs,
                    {
                        "organization_ids": [held.job.organization_id for held in held_jobs],
                        "ids": [held.job.id for held in held_jobs],
                        "tokens": [held.job.lease_token for held in held_jobs],
                        "lease": timedelta(seconds=self._config.lease),
                    },
                )
        except Exception:
            for held in held_jobs:
                if held.leased_until < loop.time():
                    held.stop("lost")
            raise
        cancels = {(row["id"], row["lease_token"]): row["cancel_requested"] for row in answer.rows}
        for held in held_jobs:
            lease = (held.job.id, held.job.lease_token)
            if lease in cancels:
                held.leased_until = sent_at + self._config.lease
            if cancels.get(lease):
                held.stop("cancelled")
            # One that has just ended is gone from the table, and not lost.
            elif lease not in cancels and not held.has_ended:
                log.warning("lease lost", job_id=str(held.job.id), kind=held.job.kind)
                held.stop("lost")
