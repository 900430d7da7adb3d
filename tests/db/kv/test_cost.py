"""What the store costs: round trips, plans, index entries."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from tidings.base.settings import Settings
from tidings.db.pools import primary_pool
from tidings.db.transaction import Database
from tidings.kv.operations import Get, Increment
from tidings.kv.store import Kv, sql
from tidings.kv.watch import TOPICS
from tidings.realtime.subscribe import Hub

from factories.organizations import Organization
from wire import CountingProxy

pytestmark = pytest.mark.new_database


@pytest_asyncio.fixture
async def counted(
    settings: Settings, database_url: str, cluster: Any, wire: CountingProxy
) -> AsyncIterator[Kv]:
    """A store whose connections go through the counting proxy."""
    url = wire.url(database_url, cluster.cluster.socket_dir)
    database = Database(primary_pool(settings, url))
    await database.open()
    yield Kv(database, Hub(database, TOPICS))
    await database.close()


async def test_every_verb_is_one_round_trip(
    counted: Kv, wire: CountingProxy, organization: Organization
) -> None:
    tenant = organization.tenant
    for _ in range(7):  # also past the fifth time, when statements become prepared ones
        for call in (
            lambda: counted.set(tenant, "k", 1),
            lambda: counted.set(tenant, "k", 1, relaxed=True),
            lambda: counted.get(tenant, "k"),
            lambda: counted.mget(tenant, ["k"]),
            lambda: counted.list(tenant),
            lambda: counted.mset(tenant, {"k": 1}),
            lambda: counted.increment(tenant, "k"),
            lambda: counted.mutate(tenant, [Get("k"), Increment("k")]),
            lambda: counted.delete(tenant, "k"),
            lambda: counted.mdelete(tenant, ["k"]),
        ):
            await call()
            wire.reset()
            await call()
            assert wire.trips == 1


async def explain(
    url: str, organization: Organization, statement: str, params: dict[str, Any], *, generic: bool
) -> str:
    """The plan of a statement as tidings_app, acting for the organization."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        mode = "force_generic_plan" if generic else "force_custom_plan"
        await connection.execute(f"SET LOCAL plan_cache_mode = {mode}")  # type: ignore[arg-type]
        await connection.execute(
            "SELECT set_config('tidings.organization_id', %s, true), "
            "set_config('tidings.role', 'member', true)",
            [str(organization.organization_id)],
        )
        cursor = await connection.execute(
            f"EXPLAIN (FORMAT JSON) {statement}",  # type: ignore[arg-type]
            params,
            prepare=True,
        )
        row = await cursor.fetchone()
    assert row is not None
    return json.dumps(row[0])


@pytest.mark.parametrize("generic", [False, True])
async def test_reads_use_the_primary_key(
    kv: Kv, organization: Organization, database_url: str, owner_url: str, generic: bool
) -> None:
    for start in range(0, 3000, 500):
        keys = {f"a{n % 7}%:{n}": n for n in range(start, start + 500)}
        await kv.mset(organization.tenant, keys)
    async with await psycopg.AsyncConnection.connect(owner_url) as connection:
        await connection.execute("ANALYZE tidings.kv_store")
    span = {"lower": "a1%:", "upper": "a1%;", "after": "", "max": 50}
    for query, params, condition in (
        (sql.kv_get_many, {"keys": ["a1%:1", "x"]}, "(key = ANY"),
        (sql.kv_list, span, "(key >= "),
    ):
        plan = await explain(database_url, organization, query.sql, params, generic=generic)
        assert '"Index Name": "kv_store_pkey"' in plan, query.name
        assert "Seq Scan" not in plan.replace("kv_owned_prefixes", ""), query.name
        index_condition = plan.split('"Index Cond": "')[1].split('"')[0]
        assert "organization_id = " in index_condition
        assert condition in index_condition
    assert "key < " in index_condition


async def count_sessions(connection: psycopg.AsyncConnection[Any]) -> int:
    cursor = await connection.execute(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND usename = 'tidings_app'"
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def test_hot_keys_stay_hot(
    kv: Kv, organization: Organization, superuser_url: str, db: Database
) -> None:
    tenant = organization.tenant
    keys = [f"hot:{n}" for n in range(10)]
    await kv.mset(tenant, dict.fromkeys(keys, 0), ttl=timedelta(hours=1))
    for n in range(40):
        await asyncio.gather(*(kv.increment(tenant, key) for key in keys))
        await kv.mset(tenant, dict.fromkeys(keys, n), ttl=timedelta(hours=1))
    async with await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as connection:
        await db.close()  # a session reports its counts at the latest when it ends
        async with asyncio.timeout(20):
            while await count_sessions(connection):
                pass
        cursor = await connection.execute(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'kv_store'"
        )
        row = await cursor.fetchone()
    assert row is not None
    updated, hot = row
    assert updated == 800
    assert hot / updated > 0.95


async def test_an_unwatched_write_publishes_nothing(
    kv: Kv, organization: Organization, superuser_url: str
) -> None:
    await kv.mset(organization.tenant, {f"k{n}": n for n in range(100)})
    await kv.mdelete(organization.tenant, [f"k{n}" for n in range(100)])
    async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
        row = await (
            await connection.execute("SELECT count(*) FROM tidings.outbox WHERE topic = 'kv'")
        ).fetchone()
    assert row == (0,)
