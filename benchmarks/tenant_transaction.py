"""A tenant transaction, against the same statement without tenancy: one round trip each."""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from psycopg_pool import AsyncConnectionPool

from pairs import Bar, compare, run
from place import Place, new_tenant, open_place
from tidings.base.tenant import Tenant
from tidings.db.queries import Query
from tidings.db.transaction import Database
from tidings.kv.store import Kv
from tidings.realtime.subscribe import Hub

KEYS = 1000
VALUE = "x" * 100
COLUMNS = "SELECT key, value::text AS value, version, expires_at FROM tidings.kv_store "
OURS = Query(
    "read_key",
    "Reads a key of the current organization.",
    COLUMNS + "WHERE organization_id = tidings.current_organization() AND key = %(key)s",
)
THEIRS = COLUMNS + "WHERE organization_id = %(organization)s AND key = %(key)s"

Read = Callable[[str], Awaitable[object]]


def bar(callers: int, words: str) -> Bar:
    """Microseconds of a read by so many callers, each waiting for its answer."""
    return Bar(
        f"tenant_transaction_{callers}",
        f"tenant transaction, {words}",
        "the statement alone, psycopg",
        "µs",
        1.6,
        at_most=True,
    )


BARS = {1: bar(1, "one after another"), 16: bar(16, "16 at once")}


async def main(options: argparse.Namespace) -> None:
    """A point read through the tenant's door; and by a superuser, whom no row security concerns."""
    reads = 400 if options.quick else 3000
    async with open_place() as place, place.database() as database, pool_of(place) as pool:
        tenant = await new_tenant(database)
        names = [f"k{n}" for n in range(KEYS)]
        await Kv(database, Hub(database, {})).mset(tenant, dict.fromkeys(names, VALUE))
        ours, theirs = through_our_door(database, tenant), without_tenancy(pool, tenant)
        for callers, each in BARS.items():
            await compare(
                each,
                lambda callers=callers: cost(ours, names, reads, callers),
                lambda callers=callers: cost(theirs, names, reads, callers),
                options.pairs,
            )


def through_our_door(database: Database, tenant: Tenant) -> Read:
    """The organization, the user and the role are set, and the row policies hold."""

    async def read(key: str) -> object:
        async with database.tenant_batch(tenant, repeatable=True) as batch:
            found = batch.add(OURS, {"key": key})
        return found.one()

    return read


def without_tenancy(pool: AsyncConnectionPool, tenant: Tenant) -> Read:
    """psycopg at its best for one statement: prepared, in autocommit, no pipeline."""

    async def read(key: str) -> object:
        async with pool.connection() as connection:
            cursor = await connection.execute(
                THEIRS, {"organization": tenant.organization_id, "key": key}
            )
            row = await cursor.fetchone()
        assert row is not None
        return row

    return read


@asynccontextmanager
async def pool_of(place: Place) -> AsyncIterator[AsyncConnectionPool]:
    """A pool as large as ours."""
    settings = place.settings()
    async with AsyncConnectionPool(
        place.url("tidings", "postgres"),
        min_size=settings.pool_primary_min,
        max_size=settings.pool_primary_max,
        kwargs={"autocommit": True},
        open=False,
    ) as pool:
        yield pool


async def cost(read: Read, names: list[str], reads: int, callers: int) -> float:
    """Microseconds of one read, when so many at a time are under way."""

    async def caller(first: int) -> None:
        for number in range(first, reads, callers):
            await read(names[number % len(names)])

    began = time.perf_counter()
    await asyncio.gather(*(caller(first) for first in range(callers)))
    return (time.perf_counter() - began) / reads * 1e6


if __name__ == "__main__":
    run(main)
