"""How an organization's jobs stand: what waits, what ended lately, and how long both took."""

from datetime import datetime, timedelta

import msgspec

from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database

sql = load_queries("tidings.queue")

WINDOW = timedelta(hours=1)
"""What ended longer ago is not looked at."""

MOST = 10_000
"""Jobs of each side that are counted; beyond, a figure says at least."""


class KindStats(msgspec.Struct, frozen=True):
    """The jobs of one kind: live ones by state, those that ended in the window, seconds.

    `wait` is from being due to the claim, `run` from the claim to the end; medians and 95th
    percentiles of those that completed, None when none did.
    """

    kind: str
    pending: int
    running: int
    blocked: int
    completed: int
    failed: int
    cancelled: int
    wait_p50: float | None
    wait_p95: float | None
    run_p50: float | None
    run_p95: float | None


class JobStats(msgspec.Struct, frozen=True):
    """All kinds; `due_since` is when the first of those that wait was due, `weight` its share."""

    kinds: list[KindStats]
    due_since: datetime | None
    dead_letters: int
    weight: int


class _Lane(msgspec.Struct, frozen=True):
    due_since: datetime | None
    dead_letters: int
    weight: int


async def read_stats(db: Database, tenant: Tenant) -> JobStats:
    """How they stand now, the last hour included; one round trip."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        kinds = batch.add(sql.job_stats, {"window": WINDOW, "most": MOST}, row=KindStats)
        lane = batch.add(sql.job_lane, {"most": MOST}, row=_Lane)
    found = lane.one()
    return JobStats(kinds.rows, found.due_since, found.dead_letters, found.weight)
