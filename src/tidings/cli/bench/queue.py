"""The queue: enqueueing, draining, and how soon a job is picked up. Jobs do nothing."""

import asyncio
import time
from typing import Any

import msgspec

from tidings.cli.bench.measure import Ground, Line, Measurement, percentile
from tidings.queue.context import JobContext
from tidings.queue.enqueue import NewJob, enqueue, enqueue_many
from tidings.queue.wake import WakeUp
from tidings.queue.worker import Worker, WorkerConfig

KIND = "bench"
"""No other worker has a handler for it."""
BATCH = 100
SINGLE_JOBS = 200
BATCHED_JOBS = 2_000
DRAINED_JOBS = 2_000
PICKED_UP = 150  # jobs
RATE = 50.0  # of them a second

NOTHING = NewJob(kind=KIND)


class Stamp(msgspec.Struct, frozen=True):
    """When a job was enqueued, in seconds of the performance counter."""

    at: float


async def enqueue_singly(ground: Ground) -> list[float]:
    """Jobs a second, each in a transaction of its own, one after another."""
    count = ground.count(SINGLE_JOBS)
    began = time.perf_counter()
    for _ in range(count):
        async with ground.system.db.tenant_batch(ground.tenant) as batch:
            enqueue(batch, NOTHING)
    rate = count / (time.perf_counter() - began)
    await drain(ground, count)
    return [rate]


async def enqueue_in_batches(ground: Ground) -> list[float]:
    """Jobs a second, a hundred in a transaction."""
    count = ground.count(BATCHED_JOBS)
    began = time.perf_counter()
    await fill(ground, count)
    rate = count / (time.perf_counter() - began)
    await drain(ground, count)
    return [rate]


async def drain_queue(ground: Ground) -> list[float]:
    """Jobs a second that one worker ends, from its start until the last is acknowledged."""
    count = ground.count(DRAINED_JOBS)
    await fill(ground, count)
    return [count / await drain(ground, count)]


async def pick_up(ground: Ground) -> list[float]:
    """Milliseconds from asking until the handler runs: median and 99th percentile."""
    count = ground.count(PICKED_UP)
    waited: list[float] = []
    done = asyncio.Event()

    async def handler(_: JobContext, args: dict[str, Any]) -> None:
        waited.append((time.perf_counter() - args["at"]) * 1000)
        if len(waited) == count:
            done.set()

    worker = bench_worker(ground, handler)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(worker.run())
        first = time.perf_counter()
        for n in range(count):
            await asyncio.sleep(max(0.0, first + n / RATE - time.perf_counter()))
            async with ground.system.db.tenant_batch(ground.tenant) as batch:
                enqueue(batch, NewJob(kind=KIND, args=Stamp(time.perf_counter())))
        await done.wait()
        worker.stop()
    return [percentile(waited, 0.5), percentile(waited, 0.99)]


async def fill(ground: Ground, count: int) -> None:
    """Enqueue so many jobs."""
    for start in range(0, count, BATCH):
        async with ground.system.db.tenant_batch(ground.tenant) as batch:
            enqueue_many(batch, [NOTHING] * min(BATCH, count - start))


async def drain(ground: Ground, count: int) -> float:
    """Work until so many jobs have ended; the seconds that took."""
    left = count

    async def handler(_: JobContext, __: dict[str, Any]) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            worker.stop()

    worker = bench_worker(ground, handler)
    began = time.perf_counter()
    await worker.run()
    return time.perf_counter() - began


def bench_worker(ground: Ground, handler: Any) -> Worker:
    """A worker with the settings' slots that knows the benchmark's jobs alone."""
    system = ground.system
    config = WorkerConfig.from_settings(system.settings)
    return Worker(system.db, {KIND: handler}, config, WakeUp(system.addresses.listen))


MEASUREMENTS = (
    Measurement(
        "queue",
        (Line("queue_enqueue", "Queue: enqueue, one at a time", "jobs/s"),),
        enqueue_singly,
    ),
    Measurement(
        "queue",
        (Line("queue_enqueue_batch", f"Queue: enqueue, {BATCH} at a time", "jobs/s"),),
        enqueue_in_batches,
    ),
    Measurement(
        "queue", (Line("queue_drain", "Queue: drain by one worker", "jobs/s"),), drain_queue
    ),
    Measurement(
        "queue",
        (
            Line("queue_pickup_p50", f"Queue: pickup at {RATE:g} jobs/s, p50", "ms"),
            Line("queue_pickup_p99", f"Queue: pickup at {RATE:g} jobs/s, p99", "ms"),
        ),
        pick_up,
    ),
)
