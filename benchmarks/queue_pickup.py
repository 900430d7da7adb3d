"""From the call that enqueues to the start of the handler, at 50 jobs a second, beside pgqueuer."""

import argparse
import asyncio
import contextlib
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from pgqueuer.qm import QueueManager

from pairs import Bar, compare, run
from place import Place, new_tenant, open_place
from queue_jobs import open_pgqueuer, worker
from tidings.base.tenant import Tenant
from tidings.db.transaction import Database
from tidings.queue.enqueue import NewJob, enqueue

MEDIAN = Bar("pickup_p50", "Pickup at 50 jobs/s, p50", "pgqueuer, asyncpg", "ms", 1.0, at_most=True)
TAIL = Bar("pickup_p99", "Pickup at 50 jobs/s, p99", "pgqueuer, asyncpg", "ms", 1.0, at_most=True)
RATE = 50


class Lags:
    """When each job was sent and how long its start took, in milliseconds."""

    def __init__(self, jobs: int) -> None:
        """Nothing is sent yet."""
        self.sent: dict[int, float] = {}
        self.taken: list[float] = []
        self.jobs = jobs
        self.over = asyncio.Event()

    def started(self, n: int) -> None:
        """A handler has begun."""
        self.taken.append((time.perf_counter() - self.sent[n]) * 1000)
        if len(self.taken) == self.jobs:
            self.over.set()

    async def send(self, put: Callable[[int], Awaitable[Any]]) -> list[float]:
        """Send them at the rate, each from a task of its own, and wait for the last."""
        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for n in range(self.jobs):
                await asyncio.sleep(max(0.0, began + n / RATE - time.perf_counter()))
                self.sent[n] = time.perf_counter()
                tasks.create_task(put(n))  # type: ignore[arg-type]
        await self.over.wait()
        return self.taken


async def ours(place: Place, database: Database, tenant: Tenant, jobs: int) -> list[float]:
    """A worker that hears hints."""
    lags = Lags(jobs)

    async def handler(_context: object, args: dict[str, Any]) -> None:
        if args["n"] >= 0:
            lags.started(args["n"])
        else:
            ready.set()

    async def put(n: int) -> None:
        async with database.tenant_batch(tenant) as batch:
            enqueue(batch, NewJob(kind="noop", args={"n": n}))

    ready = asyncio.Event()
    one = worker(database, handler, place.url())
    running = asyncio.create_task(one.run())
    await put(-1)
    await ready.wait()
    await asyncio.sleep(0.3)
    taken = await lags.send(put)
    one.stop()
    await running
    return taken


async def theirs(place: Place, jobs: int) -> list[float]:
    """Its queue manager, woken by its own notifications."""
    lags = Lags(jobs)
    async with (
        open_pgqueuer(place, install=False) as sending,
        open_pgqueuer(place, install=False) as working,
    ):
        manager = QueueManager(working.queries)

        @manager.entrypoint("noop")
        async def noop(job: Any) -> None:
            n = int(job.payload)
            if n >= 0:
                lags.started(n)
            else:
                ready.set()

        ready = asyncio.Event()
        running = asyncio.create_task(manager.run(batch_size=10))
        await sending.queries.enqueue("noop", b"-1")
        await ready.wait()
        await asyncio.sleep(0.3)
        taken = await lags.send(lambda n: sending.queries.enqueue("noop", str(n).encode()))
        manager.shutdown.set()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    return taken


async def main(options: argparse.Namespace) -> None:
    """Both medians and tails come from the same runs."""
    jobs = 50 if options.quick else 400
    async with open_place() as place, place.database() as database, open_pgqueuer(place):
        tenant = await new_tenant(database)
        tails: dict[str, list[float]] = {"ours": [], "theirs": []}

        async def our_median() -> float:
            taken = await ours(place, database, tenant, jobs)
            tails["ours"].append(statistics.quantiles(taken, n=100)[98])
            return statistics.median(taken)

        async def their_median() -> float:
            taken = await theirs(place, jobs)
            tails["theirs"].append(statistics.quantiles(taken, n=100)[98])
            return statistics.median(taken)

        await compare(MEDIAN, our_median, their_median, options.pairs)

        async def our_tail() -> float:
            return tails["ours"].pop(0)

        async def their_tail() -> float:
            return tails["theirs"].pop(0)

        await compare(TAIL, our_tail, their_tail, options.pairs)


if __name__ == "__main__":
    run(main)
