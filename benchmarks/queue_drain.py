"""Draining no-op jobs by one worker, beside pgqueuer, procrastinate, graphile-worker and a loop."""

import argparse
import gc

from pairs import Bar, compare, run
from place import new_tenant, open_place
from queue_jobs import (
    drain,
    fill,
    open_bare_loop,
    open_graphile,
    open_pgqueuer,
    open_procrastinate,
)

PGQUEUER = Bar("queue_drain_pgqueuer", "Queue drain", "pgqueuer, asyncpg, batch 100", "jobs/s", 1.5)
BARE = Bar("queue_drain_loop", "Queue drain", "claim and delete 100, psycopg", "jobs/s", 0.5)
PROCRASTINATE = Bar(
    "queue_drain_procrastinate", "Queue drain", "procrastinate, 20 at once", "jobs/s", 15
)
GRAPHILE = Bar(
    "queue_drain_graphile", "Queue drain, an aim", "graphile-worker on Node.js", "jobs/s", 0
)


async def main(options: argparse.Namespace) -> None:
    """Every job is acknowledged durably; ours and the peer's queue are filled before the clock."""
    jobs = 5_000 if options.quick else 20_000
    gc.freeze()
    async with (
        open_place() as place,
        place.database() as database,
        open_pgqueuer(place) as pgqueuer,
        open_bare_loop(place) as loop,
        open_procrastinate(place) as procrastinate,
        open_graphile(place) as graphile,
    ):
        tenant = await new_tenant(database)

        async def ours() -> float:
            await fill(database, tenant, jobs)
            return await drain(database, jobs)

        async def theirs() -> float:
            await pgqueuer.fill(jobs)
            return await pgqueuer.drain(jobs)

        async def bare() -> float:
            await loop.fill(jobs)
            return await loop.drain(jobs)

        async def slow() -> float:
            await procrastinate.fill(jobs // 10)
            return await procrastinate.drain(jobs // 10)

        async def node() -> float:
            await graphile.fill(jobs)
            return await graphile.drain(jobs)

        await ours()
        await compare(PGQUEUER, ours, theirs, options.pairs)
        await compare(BARE, ours, bare, options.pairs)
        await compare(PROCRASTINATE, ours, slow, options.pairs)
        await compare(GRAPHILE, ours, node, options.pairs)


if __name__ == "__main__":
    run(main)
