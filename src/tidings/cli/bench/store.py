"""The KV store, the recall cache, and what a tenant costs around a statement."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable

from tidings.cli.bench.measure import CALLERS, Ground, Line, Measurement
from tidings.db.cost import measure_tenant_cost
from tidings.recall.cache import Recall

CALLS = 3_000
KEYS = 200
VALUE = "x" * 100
ROUND_TRIPS = 300
HITS = 20_000

HIT_NANOSECONDS = 400.0
TENANT_RATIO = 1.6


async def get(ground: Ground) -> list[float]:
    """Gets a second of callers who each wait for their answer."""
    names = await _names(ground)
    return [await _rate(ground, lambda n: ground.kv.get(ground.tenant, names[n % KEYS]))]


async def set_durably(ground: Ground) -> list[float]:
    """Sets a second, on disk when answered."""
    names = await _names(ground)
    return [await _rate(ground, lambda n: ground.kv.set(ground.tenant, names[n % KEYS], VALUE))]


async def set_relaxed(ground: Ground) -> list[float]:
    """Sets a second that do not wait for the disk."""
    names = await _names(ground)

    def call(n: int) -> Awaitable[object]:
        return ground.kv.set(ground.tenant, names[n % KEYS], VALUE, relaxed=True)

    return [await _rate(ground, call)]


async def hit(ground: Ground) -> list[float]:
    """Nanoseconds of the processor for one hit."""
    recall = Recall(KEYS, 300.0)
    recall.turn_on()
    names = [f"bench:{n}" for n in range(KEYS)]

    async def load() -> str:
        return VALUE

    for name in names:
        await recall.get(ground.tenant, name, load, tags=[name])
    peek, tenant = recall.peek, ground.tenant
    asked = list(itertools.islice(itertools.cycle(names), ground.count(HITS)))
    began = time.thread_time_ns()
    for name in asked:
        peek(tenant, name)
    return [(time.thread_time_ns() - began) / len(asked)]


async def tenant_cost(ground: Ground) -> list[float]:
    """Milliseconds of a statement in a tenant batch, and how many times one by itself that is."""
    count = ground.count(ROUND_TRIPS)
    cost = await measure_tenant_cost(ground.system.db, ground.tenant, count)
    return [cost.within, cost.ratio]


async def _names(ground: Ground) -> list[str]:
    names = [f"bench:{n}" for n in range(KEYS)]
    await ground.kv.mset(ground.tenant, dict.fromkeys(names, VALUE), relaxed=True)
    return names


async def _rate(ground: Ground, call: Callable[[int], Awaitable[object]]) -> float:
    """Calls a second of `CALLERS` who each wait for their answer."""
    numbers = iter(range(ground.count(CALLS)))

    async def caller() -> None:
        for n in numbers:
            await call(n)

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return ground.count(CALLS) / (time.perf_counter() - began)


MEASUREMENTS = (
    Measurement("kv", (Line("kv_get", f"KV: get, {CALLERS} at once", "gets/s"),), get),
    Measurement("kv", (Line("kv_set", f"KV: set, {CALLERS} at once", "sets/s"),), set_durably),
    Measurement(
        "kv",
        (Line("kv_set_relaxed", f"KV: set, {CALLERS} at once, relaxed", "sets/s"),),
        set_relaxed,
    ),
    Measurement("recall", (Line("recall_hit", "Recall cache: hit", "ns", HIT_NANOSECONDS),), hit),
    Measurement(
        "tenant",
        (
            Line("tenant_batch", "Tenant transaction: one statement", "ms"),
            Line(
                "tenant_ratio", "Tenant transaction: to the statement alone", "times", TENANT_RATIO
            ),
        ),
        tenant_cost,
    ),
)
