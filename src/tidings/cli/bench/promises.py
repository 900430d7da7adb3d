"""What is promised whatever the load: exact budgets, fair turns, and events that cost little."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from pydantic import SecretStr

from tidings.ai.budget import list_budgets, set_budget
from tidings.ai.engine_name import EngineName
from tidings.ai.spending import Call, Spending
from tidings.base.errors import BudgetExceeded
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.cli.bench.measure import CALLERS, Ground, Line, Measurement, percentile
from tidings.cli.bench.queue import KIND, NOTHING, bench_worker
from tidings.kv.store import queue_set
from tidings.queue.context import JobContext
from tidings.queue.enqueue import NewJob, enqueue, enqueue_many
from tidings.realtime.outbox import publish
from tidings.tenancy.organizations import bench_organization

RESERVERS = 64
FITTING = 200  # calls
AMOUNT = Decimal("0.01")
ENGINE = EngineName("openai", "gpt-4o-mini")

QUIET_JOBS = 50
RATE = 50.0  # of them a second
CROWD = 100_000  # jobs of the other organization, more than can be done meanwhile

COMMITS = 1_000

FAIR_RATIO = 2.0
EVENT_RATIO = round(1 / 0.85, 4)


async def budget(ground: Ground) -> list[float]:
    """Calls that were allowed and did not fit or the other way round, and reservations a second."""
    db, tenant, fitting = ground.system.db, ground.tenant, ground.count(FITTING)
    settings = ground.system.settings.model_copy(update={"openai_api_key": SecretStr("bench")})
    spending = Spending(db, ground.system.keys, settings)
    before, _ = await list_budgets(db, tenant)
    limit = before.settled + before.reserved + AMOUNT * fitting
    await set_budget(db, tenant, "day", limit)
    calls = fitting * 3 // 2
    began = time.perf_counter()
    allowed = await _reserve_all(spending, tenant, calls)
    seconds = time.perf_counter() - began
    return [abs(allowed - fitting), calls / seconds]


async def fairness(ground: Ground) -> list[float]:
    """How many times its unloaded 95th percentile a quiet organization waits beside a busy one."""
    alone = await _quiet(ground, None)
    async with bench_organization(ground.system.db) as noisy:
        beside = await _quiet(ground, noisy)
    return [beside / alone]


async def events(ground: Ground) -> list[float]:
    """How many times the time of a commit the same one with an event takes."""
    db, tenant = ground.system.db, ground.tenant

    async def plain(n: int) -> None:
        async with db.tenant_batch(tenant) as batch:
            queue_set(batch, f"bench:{n}", n)

    async def told(n: int) -> None:
        async with db.tenant_batch(tenant) as batch:
            queue_set(batch, f"bench:{n}", n)
            publish(batch, "room:bench", "written", n)

    count = ground.count(COMMITS)
    return [await _seconds(told, count) / await _seconds(plain, count)]


async def _reserve_all(spending: Spending, tenant: Tenant, calls: int) -> int:
    numbers, allowed = iter(range(calls)), 0

    async def reserver() -> None:
        nonlocal allowed
        for _ in numbers:
            call = Call(
                id=uuid7(),
                tenant=tenant,
                run_id=None,
                operation="bench.reserve",
                engine=ENGINE,
                prompt_version="0" * 12,
                amount=AMOUNT,
            )
            try:
                await spending.reserve(call)
            except BudgetExceeded:
                continue
            allowed += 1

    await asyncio.gather(*(reserver() for _ in range(RESERVERS)))
    return allowed


async def _quiet(ground: Ground, noisy: Tenant | None) -> float:
    """The 95th percentile of milliseconds from asking until the handler of a quiet one's job."""
    db, count = ground.system.db, ground.count(QUIET_JOBS)
    waited: list[float] = []
    done = asyncio.Event()

    async def handler(context: JobContext, args: dict[str, Any]) -> None:
        if context.tenant.organization_id != ground.tenant.organization_id:
            return
        waited.append((time.perf_counter() - args["at"]) * 1000)
        if len(waited) == count:
            done.set()

    if noisy is not None:
        crowd = ground.count(CROWD)
        for start in range(0, crowd, 1000):
            async with db.tenant_batch(noisy) as batch:
                enqueue_many(batch, [NOTHING] * min(1000, crowd - start))
    worker = bench_worker(ground, handler)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(worker.run())
        first = time.perf_counter()
        for n in range(count):
            await asyncio.sleep(max(0.0, first + n / RATE - time.perf_counter()))
            async with db.tenant_batch(ground.tenant) as batch:
                enqueue(batch, NewJob(kind=KIND, args={"at": time.perf_counter()}))
        await done.wait()
        worker.stop()
    return percentile(waited, 0.95)


async def _seconds(call: Callable[[int], Awaitable[object]], count: int) -> float:
    numbers = iter(range(count))

    async def caller() -> None:
        for n in numbers:
            await call(n)

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return time.perf_counter() - began


MEASUREMENTS = (
    Measurement(
        "budget",
        (
            Line("budget_wrong", f"Budget: wrong answers, {RESERVERS} at once", "calls", 0.0),
            Line("budget_rate", f"Budget: reservations, {RESERVERS} at once", "calls/s"),
        ),
        budget,
    ),
    Measurement(
        "fairness",
        (
            Line(
                "fairness", "Queue: a quiet organization's p95 beside a busy one", "times",
                FAIR_RATIO,
            ),
        ),
        fairness,
    ),
    Measurement(
        "events",
        (
            Line(
                "event_ratio", f"Events: a commit with one, {CALLERS} at once", "times", EVENT_RATIO
            ),
        ),
        events,
    ),
)  # fmt: skip
