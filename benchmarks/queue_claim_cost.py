"""What a claim costs whatever else is in the table: pending rows, blocked ones, dead ones."""

import argparse
import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from pairs import Bar, compare, run
from place import Place, new_tenant, open_place
from tidings.base.tenant import Tenant
from tidings.db.transaction import Database
from tidings.queue.claim import claim_jobs
from tidings.queue.settle import settle_lanes

BIG = Bar("claim_big", "Claim of 100, 1,000,000 pending", "1,000 pending", "ms", 1.2, at_most=True)
BLOCKED = Bar(
    "claim_blocked",
    "Claim of 100, 1,000,000 blocked beside",
    "none blocked",
    "ms",
    1.2,
    at_most=True,
)
CHURNED = Bar(
    "claim_churned",
    "Claim of 100 after 200,000 jobs under a pinned transaction",
    "a fresh table",
    "ms",
    2.0,
    at_most=True,
)
INSERT = """
    INSERT INTO tidings.jobs (organization_id, id, kind, user_id, run_at, rank, status, is_due,
        blocked_reason)
    SELECT %(organization)s, tidings.uuid7(), 'noop', %(user)s,
        now() + CASE WHEN %(status)s = 'blocked' THEN interval '1 day' ELSE '0' END,
        now() + n * interval '1 microsecond',
        %(status)s, %(status)s = 'pending', CASE WHEN %(status)s = 'blocked' THEN 'Full.' END
    FROM generate_series(1, %(n)s) AS n"""
CLAIMS = 8


class Table:
    """A database of its own with so many jobs in it."""

    def __init__(self, place: Place, database: Database, tenant: Tenant) -> None:
        """`place` for what only an administrator may do."""
        self.place = place
        self.database = database
        self.tenant = tenant

    async def insert(self, n: int, status: str = "pending") -> None:
        """Rows past the functions: a million are made in seconds."""
        async with await self.admin() as connection:
            params = {
                "organization": self.tenant.organization_id,
                "user": self.tenant.user_id,
                "status": status,
                "n": n,
            }
            await connection.execute(INSERT, params)
            await connection.execute(
                "INSERT INTO tidings.queue_marks (organization_id) VALUES (%s)",
                [self.tenant.organization_id],
            )

    async def vacuum(self) -> None:
        """As autovacuum leaves it."""
        async with await self.admin() as connection:
            await connection.execute("VACUUM ANALYZE tidings.jobs")

    async def admin(self) -> psycopg.AsyncConnection[Any]:
        """A superuser's connection."""
        url = self.place.url(role="postgres")
        return await psycopg.AsyncConnection.connect(url, autocommit=True)

    async def claim(self) -> float:
        """Milliseconds of a claim, the median of some; what it took is put back, off the clock."""
        times = []
        for _ in range(CLAIMS):
            began = time.perf_counter()
            jobs = await claim_jobs(self.database, ["noop"], 100, lease=600, worker="bench")
            times.append((time.perf_counter() - began) * 1000)
            assert len(jobs) == 100
        return statistics.median(times)

    async def churn(self, n: int) -> None:
        """Claim and delete, as the life of that many jobs leaves the table."""
        claimed = 0
        async with await self.admin() as connection:
            while claimed < n:
                jobs = await claim_jobs(self.database, ["noop"], 1000, lease=600, worker="bench")
                claimed += len(jobs)
                await connection.execute(
                    "DELETE FROM tidings.jobs WHERE organization_id = %s AND status = 'running'",
                    [self.tenant.organization_id],
                )
                await settle_lanes(self.database)


@asynccontextmanager
async def two_tables() -> AsyncIterator[tuple[Table, Table]]:
    """Each on a server of its own, so that neither fills the other's cache."""
    async with (
        open_place() as small,
        open_place() as large,
        small.database() as one,
        large.database() as two,
    ):
        yield Table(small, one, await new_tenant(one)), Table(large, two, await new_tenant(two))


async def main(options: argparse.Namespace) -> None:
    """Each state in a database server of its own, measured in turns."""
    million = 100_000 if options.quick else 1_000_000
    churned = 20_000 if options.quick else 200_000
    async with two_tables() as (few, many):
        await few.insert(1_000 + 100 * CLAIMS * options.pairs * 3)
        await many.insert(million)
        await asyncio.gather(few.vacuum(), many.vacuum())
        await compare(BIG, many.claim, few.claim, options.pairs)
    async with two_tables() as (few, many):
        for table in (few, many):
            await table.insert(1_000 + 100 * CLAIMS * options.pairs)
        await many.insert(million, "blocked")
        await asyncio.gather(few.vacuum(), many.vacuum())
        await compare(BLOCKED, many.claim, few.claim, options.pairs)
    async with two_tables() as (few, many):
        await few.insert(10_000 + 100 * CLAIMS * options.pairs)
        await many.insert(churned + 10_000 + 100 * CLAIMS * options.pairs)
        await asyncio.gather(few.vacuum(), many.vacuum())
        async with await many.admin() as pinned:
            await pinned.set_autocommit(False)
            await pinned.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            await pinned.execute("SELECT count(*) FROM tidings.organizations")
            await many.churn(churned)
            await compare(CHURNED, many.claim, few.claim, options.pairs)


if __name__ == "__main__":
    run(main)
