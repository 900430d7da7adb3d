"""The recall cache: the cost of a hit beside other caches, loads of a crowd, hit rate.

A hit is all processor, so it is counted in time of the processor: the best of a few rounds.
"""

import argparse
import asyncio
import itertools
import random
import time
from collections.abc import Callable
from typing import Any

import cachetools
from cachebox import LRUCache

from pairs import Bar, Outcome, compare, run
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.recall.cache import Recall

TTL = 300.0
ZIPF_TTL = 5.0
ENTRIES = 1000
ROUNDS = 5
CROWD = 1000
TENANT = Tenant(uuid7(), uuid7(), "member")

LIMIT_NS = 400
TITLE = "Recall cache: a synchronous hit with TTL, tenant and metrics"
HIT = Bar("recall_hit", TITLE, f"the limit of {LIMIT_NS} ns", "ns", 1, at_most=True)
HIT_BARE = Bar("recall_hit_bare", TITLE, "cachebox LRU, bare", "ns", LIMIT_NS / 34, at_most=True)
HIT_TTL = Bar("recall_hit_ttl", TITLE, "cachetools TTL", "ns", LIMIT_NS / 882, at_most=True)
CROWDED = f"Recall cache: loads of {CROWD} concurrent misses"
LOADS = Bar("recall_loads", CROWDED, "exact arithmetic", "loads", 1, at_most=True)
RATED = "Recall cache: hit rate on a Zipf trace"
RATE = Bar("recall_hit_rate", RATED, "cachetools TTL", "of all", 1)


async def main(options: argparse.Namespace) -> None:
    """Each figure beside its peer."""
    names = [f"meeting:{n}" for n in range(ENTRIES)]
    asked = random.Random(7).choices(names, k=10_000 if options.quick else 50_000)
    recall = await filled(names)
    bare = LRUCache[str, str](ENTRIES)
    timed = cachetools.TTLCache[str, str](ENTRIES, TTL)
    for name in names:
        bare.insert(name, name)
        timed[name] = name

    async def ours() -> float:
        peek = recall.peek
        return took(lambda: [peek(TENANT, name) for name in asked], len(asked))

    async def of_bare() -> float:
        get = bare.get
        return took(lambda: [get(name) for name in asked], len(asked))

    async def of_timed() -> float:
        get = timed.get
        return took(lambda: [get(name) for name in asked], len(asked))

    async def limit() -> float:
        return LIMIT_NS

    await compare(HIT, ours, limit, options.pairs)
    await compare(HIT_BARE, ours, of_bare, options.pairs)
    await compare(HIT_TTL, ours, of_timed, options.pairs)
    assert recall.stats().hit_rate > 0.99
    await crowd(options)
    await zipf(options)


async def crowd(options: argparse.Namespace) -> Outcome:
    """Many who ask for the same at once, and nothing is held."""

    async def ours() -> float:
        recall, loads = new_recall(time.monotonic), 0

        async def load() -> str:
            nonlocal loads
            loads += 1
            await asyncio.sleep(0.001)
            return "value"

        await asyncio.gather(*(recall.get(TENANT, "k", load, tags=["k"]) for _ in range(CROWD)))
        return loads

    async def one() -> float:
        return 1

    return await compare(LOADS, ours, one, options.pairs)


async def zipf(options: argparse.Namespace) -> Outcome:
    """Traces of 20,000 keys, a twentieth of which fit; a millisecond between two requests."""
    length = 30_000 if options.quick else 150_000
    weights = list(itertools.accumulate(1 / rank for rank in range(1, 20_001)))
    mine, others = itertools.count(), itertools.count()

    def trace(seed: int) -> list[str]:
        chance = random.Random(seed)
        return [f"k{n}" for n in chance.choices(range(20_000), cum_weights=weights, k=length)]

    async def value() -> str:
        return "value"

    async def ours() -> float:
        clock = Clock()
        recall = new_recall(clock, ZIPF_TTL)
        for name in trace(next(mine)):
            clock.now += 0.001
            await recall.get(TENANT, name, value, tags=[name])
        return recall.stats().hit_rate

    async def theirs() -> float:
        clock, hits = Clock(), 0
        cache = cachetools.TTLCache[str, str](ENTRIES, ZIPF_TTL, timer=clock)
        for name in trace(next(others)):
            clock.now += 0.001
            if cache.get(name) is not None:
                hits += 1
            else:
                cache[name] = "value"
        return hits / length

    return await compare(RATE, ours, theirs, options.pairs)


class Clock:
    """A timer that moves when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def took(work: Callable[[], Any], count: int) -> float:
    """Nanoseconds of the processor for each of so many."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.thread_time_ns()
        work()
        rounds.append(time.thread_time_ns() - began)
    return min(rounds) / count


def new_recall(timer: Callable[[], float], ttl: float = TTL) -> Recall:
    """A cache that is on."""
    recall = Recall(ENTRIES, ttl, timer=timer)
    recall.turn_on()
    return recall


async def filled(names: list[str]) -> Recall:
    """A cache that holds each of the names."""
    recall = new_recall(time.monotonic)

    async def value() -> str:
        return "value"

    for name in names:
        await recall.get(TENANT, name, value, tags=[name])
    return recall


if __name__ == "__main__":
    run(main)
