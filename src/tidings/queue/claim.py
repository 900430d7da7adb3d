"""Claiming: as many due jobs as there are free slots, in one statement."""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import msgspec

from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.queue.decide import next_pause
from tidings.queue.duty import attempt, require, wait_any
from tidings.queue.wake import WakeUp

sql = load_queries("tidings.queue")


class ClaimConfig(msgspec.Struct, frozen=True):
    """`slots` jobs at once; leases and polling pauses in seconds."""

    slots: int = 8
    lease: float = 15.0
    poll_least: float = 0.05
    poll_most: float = 1.0

    def __post_init__(self) -> None:
        """Raises `SettingInvalid`."""
        require(self.slots >= 1, "A worker runs at least one job at once.")
        require(self.lease > 0, "A lease is longer than 0 seconds.")
        require(0 < self.poll_least <= self.poll_most, "Polling pauses are positive and ordered.")


class ClaimedJob(msgspec.Struct, frozen=True):
    """A job under this worker's lease; `seconds_left` is to its deadline, at the claim."""

    organization_id: UUID
    id: UUID
    kind: str
    args: dict[str, Any]
    user_id: UUID
    run_id: UUID | None
    attempt: int
    max_attempts: int
    lease_token: UUID
    deadline_at: datetime | None
    seconds_left: float | None

    @property
    def tenant(self) -> Tenant:
        """Who it runs for: the services, for the user that enqueued it."""
        return Tenant(self.organization_id, self.user_id, "service")


class Slots(Protocol):
    """Where claimed jobs go."""

    freed: asyncio.Event

    @property
    def free(self) -> int:
        """How many more fit."""


async def claim_jobs(
    db: Database,
    kinds: Sequence[str],
    most: int,
    *,
    lease: float,
    worker: str,
    hears_hints: bool = False,
) -> list[ClaimedJob]:
    """Lease up to `most` due jobs of these kinds for `lease` seconds; one round trip."""
    async with db.system_batch() as batch:
        claimed = batch.add(
            sql.claim_jobs,
            {
                "kinds": list(kinds),
                "most": most,
                "lease": timedelta(seconds=lease),
                "worker": worker,
                "hears_hints": hears_hints,
            },
            row=ClaimedJob,
        )
    return claimed.rows


class Claimer:
    """The claim loop of one worker."""

    def __init__(
        self,
        db: Database,
        kinds: Sequence[str],
        worker: str,
        config: ClaimConfig,
        slots: Slots,
        wake: WakeUp,
    ) -> None:
        """`kinds` are those that this worker has handlers for."""
        self._db = db
        self._kinds = kinds
        self._worker = worker
        self._config = config
        self._slots = slots
        self._wake = wake
        self._claimed: list[ClaimedJob] = []

    async def run(self, stopping: asyncio.Event, start: Callable[[ClaimedJob], None]) -> None:
        """Claim into free slots and `start` each job, until `stopping` is set."""
        least, most = self._config.poll_least, self._config.poll_most
        pause = least
        while not stopping.is_set():
            free = self._slots.free
            if free == 0:
                self._slots.freed.clear()
                await wait_any([stopping, self._slots.freed])
                continue
            self._wake.jobs.clear()
            self._claimed = []
            await attempt("claim", self._claim)
            for job in self._claimed:
                start(job)
            pause = next_pause(pause, least=least, most=most, found=bool(self._claimed))
            if len(self._claimed) < free:
                jittered = pause * random.uniform(0.8, 1)  # noqa: S311
                await wait_any([stopping, self._wake.jobs], jittered)

    async def _claim(self) -> None:
        self._claimed = await claim_jobs(
            self._db,
            self._kinds,
            self._slots.free,
            lease=self._config.lease,
            worker=self._worker,
            hears_hints=self._wake.is_listening,
        )
