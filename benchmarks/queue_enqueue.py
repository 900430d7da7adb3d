"""Enqueueing, one by one and a thousand at once, beside pgqueuer."""

import argparse
import time

from pairs import Bar, compare, run
from place import new_tenant, open_place
from queue_jobs import fill, open_pgqueuer
from tidings.queue.enqueue import NewJob, enqueue

SINGLE = Bar("enqueue_single", "Enqueue, one by one", "pgqueuer, asyncpg", "jobs/s", 1.0)
MANY = Bar("enqueue_many", "Enqueue, 1,000 at once", "pgqueuer, asyncpg", "jobs/s", 2.0)


async def main(options: argparse.Namespace) -> None:
    """Ours in a tenant's transaction, with its rights checked; one caller."""
    singles, many = (500, 5_000) if options.quick else (3_000, 20_000)
    async with (
        open_place() as place,
        place.database() as database,
        open_pgqueuer(place) as pgqueuer,
    ):
        tenant = await new_tenant(database)

        async def one_by_one() -> float:
            began = time.perf_counter()
            for n in range(singles):
                async with database.tenant_batch(tenant) as batch:
                    enqueue(batch, NewJob(kind="noop", args={"n": n}))
            return singles / (time.perf_counter() - began)

        async def theirs() -> float:
            began = time.perf_counter()
            for n in range(singles):
                await pgqueuer.queries.enqueue("noop", b'{"n": %d}' % n)
            return singles / (time.perf_counter() - began)

        async def at_once() -> float:
            began = time.perf_counter()
            await fill(database, tenant, many)
            return many / (time.perf_counter() - began)

        async def theirs_at_once() -> float:
            began = time.perf_counter()
            await pgqueuer.fill(many)
            return many / (time.perf_counter() - began)

        await compare(SINGLE, one_by_one, theirs, options.pairs)
        await at_once()
        await compare(MANY, at_once, theirs_at_once, options.pairs)


if __name__ == "__main__":
    run(main)
