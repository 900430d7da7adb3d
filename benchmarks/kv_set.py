"""KV set, 16 callers at once in one process, against redis-py on a local Redis.

Ours waits for the disk unless it is relaxed; Redis acknowledges first and syncs each second.
"""

import argparse
import time

from kv_get import KEYS, VALUE, rate
from pairs import Bar, compare, run
from place import new_tenant, open_place
from redis_server import open_redis
from tidings.kv.store import Kv
from tidings.realtime.subscribe import Hub

PEER = "redis-py, loopback"
SET = Bar("kv_set", "KV set, 16 at once, on disk when answered", PEER, "sets/s", 0.6)
RELAXED = Bar("kv_set_relaxed", "KV set, 16 at once, relaxed", PEER, "sets/s", 1.0)
MSET = Bar("kv_mset", "KV mset of 100", PEER, "keys/s", 1.0)


async def main(options: argparse.Namespace) -> None:
    """Random keys of a thousand, values of 100 characters."""
    seconds = 0.5 if options.quick else 3.0
    async with open_redis() as redis, open_place() as place, place.database() as database:
        tenant = await new_tenant(database)
        kv = Kv(database, Hub(database, {}))
        names = [f"k{n}" for n in range(KEYS)]
        hundred = dict.fromkeys(names[:100], VALUE)

        async def strict() -> float:
            return await rate(lambda key: kv.set(tenant, key, VALUE), names, seconds)

        async def relaxed() -> float:
            return await rate(lambda key: kv.set(tenant, key, VALUE, relaxed=True), names, seconds)

        async def theirs() -> float:
            return await rate(lambda key: redis.set(key, VALUE), names, seconds)

        async def mset() -> float:
            return await many(lambda: kv.mset(tenant, hundred), seconds)

        async def their_mset() -> float:
            return await many(lambda: redis.mset(hundred), seconds)

        await compare(SET, strict, theirs, options.pairs)
        await compare(RELAXED, relaxed, theirs, options.pairs)
        await compare(MSET, mset, their_mset, options.pairs)


async def many(call, seconds: float) -> float:  # noqa: ANN001
    """Keys a second of one caller who sets a hundred at a time."""
    done = 0
    began = time.perf_counter()
    while time.perf_counter() < began + seconds:
        await call()
        done += 100
    return done / (time.perf_counter() - began)


if __name__ == "__main__":
    run(main)
