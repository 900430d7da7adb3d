"""KV get, 16 callers at once in one process, against redis-py on a local Redis."""

import argparse
import asyncio
import random
import time

from pairs import Bar, compare, run
from place import new_tenant, open_place
from redis_server import CALLERS, open_redis
from tidings.kv.store import Kv
from tidings.realtime.subscribe import Hub

KEYS = 1000
VALUE = "x" * 100
GET = Bar("kv_get", "KV get, 16 at once", "redis-py, loopback", "gets/s", 1.0)


async def main(options: argparse.Namespace) -> None:
    """Random keys of a thousand, values of 100 characters."""
    seconds = 0.7 if options.quick else 3.0
    async with open_redis() as redis, open_place() as place, place.database() as database:
        tenant = await new_tenant(database)
        kv = Kv(database, Hub(database, {}))
        names = [f"k{n}" for n in range(KEYS)]
        await kv.mset(tenant, dict.fromkeys(names, VALUE))
        await redis.mset(dict.fromkeys(names, VALUE))

        async def ours() -> float:
            return await rate(lambda key: kv.get(tenant, key), names, seconds)

        async def theirs() -> float:
            return await rate(redis.get, names, seconds)

        await compare(GET, ours, theirs, options.pairs)


async def rate(call, names: list[str], seconds: float) -> float:  # noqa: ANN001
    """Calls a second of `CALLERS` callers who each wait for their answer."""
    done = 0
    until = time.perf_counter() + seconds

    async def caller(seed: int) -> None:
        nonlocal done
        chance = random.Random(seed)
        while time.perf_counter() < until:
            answer = await call(chance.choice(names))
            assert answer is not None
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(caller(n) for n in range(CALLERS)))
    return done / (time.perf_counter() - began)


if __name__ == "__main__":
    run(main)
