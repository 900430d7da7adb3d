"""Claiming: due jobs of all organizations in turns, leased to one worker."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.statement import Pending
from tidings.db.transaction import Batch, Database
from tidings.queue.duty import require

sql = load_queries("tidings.queue")

EVER = timedelta(days=36_500)


class ClaimConfig(msgspec.Struct, frozen=True):
    """`slots` jobs run at once, `batch` are claimed at once; leases and polling pauses in seconds.

    While several organizations have jobs `share` are claimed at once: who comes waits for the end
    of a turn, and a short one costs each job a little more.

    Beyond the slots a worker holds what it will start within `ahead` seconds at its present pace,
    and `prefetch` jobs at most: none of a slow kind, hundreds of a quick one.
    """

    slots: int = 8
    lease: float = 15.0
    poll_least: float = 0.05
    poll_most: float = 1.0
    batch: int = 150
    share: int = 7
    prefetch: int = 400
    ahead: float = 0.02

    def __post_init__(self) -> None:
        """Raises `SettingInvalid`."""
        require(self.slots >= 1, "A worker runs at least one job at once.")
        require(self.lease > 0, "A lease is longer than 0 seconds.")
        require(0 < self.poll_least <= self.poll_most, "Polling pauses are positive and ordered.")
        require(self.batch >= 1 and self.share >= 1, "A claim takes at least one job.")
        require(self.prefetch >= 0 and self.ahead >= 0, "A worker looks ahead, not back.")


class ClaimedJob(msgspec.Struct, frozen=True):
    """A job under this worker's lease; `seconds_left` is to its deadline, at the claim.

    `lane` is the place of its organization in the turns of the claim.
    """

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
    lane: int

    @property
    def tenant(self) -> Tenant:
        """Who it runs for: the services, for the user that enqueued it."""
        return Tenant(self.organization_id, self.user_id, "service")


async def claim_jobs(
    db: Database, kinds: Sequence[str], most: int, *, lease: float, worker: str
) -> list[ClaimedJob]:
    """Lease up to `most` due jobs of these kinds for `lease` seconds; one round trip."""
    async with db.system_batch() as batch:
        claimed = add_claim(batch, kinds, most, lease=lease, worker=worker)
    return claimed.rows


def add_claim(
    batch: Batch,
    kinds: Sequence[str],
    most: int,
    *,
    lease: float,
    worker: str,
    is_idle: bool | None = None,
    after: UUID | None = None,
    spent: int = 0,
    ripe_since: timedelta | None = EVER,
) -> Pending[ClaimedJob]:
    """Claim in a batch with something else.

    `is_idle` says whether an enqueue should send this worker a hint (None: as before), `after` is
    the organization served last and `spent` what it had of its turn, `ripe_since` how far back to
    look for jobs whose time has come (None: not at all).
    """
    return batch.add(
        sql.claim_jobs,
        {
            "kinds": list(kinds),
            "most": most,
            "lease": timedelta(seconds=lease),
            "worker": worker,
            "is_idle": is_idle,
            "after": after,
            "spent": spent,
            "ripe_since": ripe_since,
        },
        row=ClaimedJob,
    )
