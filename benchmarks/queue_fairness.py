"""A quiet organization's jobs while another has 100,000: from the enqueue to the handler."""

import argparse
import asyncio
import statistics
import time
from typing import Any

import psycopg

from pairs import Bar, compare, run
from place import Place, new_tenant, open_place
from queue_jobs import fill, worker
from tidings.base.tenant import Tenant
from tidings.db.transaction import Database
from tidings.queue.enqueue import NewJob, enqueue

FAIR = Bar(
    "fairness", "Quiet organization's p95, another has 100,000 jobs", "no other", "ms", 2.0,
    at_most=True,
)  # fmt: skip
RATE = 50


async def quiet(
    place: Place, database: Database, tenant: Tenant, jobs: int, noisy: Tenant | None, crowd: int
) -> float:
    """The 95th percentile of the quiet organization's jobs, in milliseconds."""
    sent: dict[int, float] = {}
    taken: list[float] = []
    over, ready = asyncio.Event(), asyncio.Event()

    async def handler(context: Any, args: dict[str, Any]) -> None:
        if context.tenant.organization_id != tenant.organization_id:
            return
        if args["n"] < 0:
            ready.set()
            return
        taken.append((time.perf_counter() - sent[args["n"]]) * 1000)
        if len(taken) == jobs:
            over.set()

    async def put(n: int) -> None:
        async with database.tenant_batch(tenant) as batch:
            enqueue(batch, NewJob(kind="noop", args={"n": n}))

    if noisy is not None:
        await fill(database, noisy, crowd)
    one = worker(database, handler, place.url())
    running = asyncio.create_task(one.run())
    await put(-1)
    await ready.wait()
    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for n in range(jobs):
            await asyncio.sleep(max(0.0, began + n / RATE - time.perf_counter()))
            sent[n] = time.perf_counter()
            tasks.create_task(put(n))
    await over.wait()
    one.stop()
    await running
    await clear(place)
    return statistics.quantiles(taken, n=100)[94]


async def clear(place: Place) -> None:
    """Take away what the other one has left, so that the next measure is beside nobody."""
    async with await psycopg.AsyncConnection.connect(
        place.url(role="postgres"), autocommit=True
    ) as connection:
        await connection.execute("DELETE FROM tidings.jobs")
        await connection.execute("VACUUM (ANALYZE) tidings.jobs")
        await connection.execute("CHECKPOINT")


async def main(options: argparse.Namespace) -> None:
    """In turns, each with an organization pair of its own."""
    jobs, crowd = (40, 20_000) if options.quick else (150, 100_000)
    async with open_place() as place, place.database() as database:

        async def loaded() -> float:
            noisy, calm = await new_tenant(database), await new_tenant(database)
            return await quiet(place, database, calm, jobs, noisy, crowd)

        async def unloaded() -> float:
            return await quiet(place, database, await new_tenant(database), jobs, None, 0)

        await compare(FAIR, loaded, unloaded, options.pairs)


if __name__ == "__main__":
    run(main)
