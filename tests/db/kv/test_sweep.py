"""Expired keys go, in batches, and whoever watches them is told."""

import asyncio
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tidings.kv import sweep
from tidings.kv.store import Kv
from tidings.kv.sweep import sweep_kv
from tidings.realtime.subscribe import Hub

from factories.organizations import Organization


async def count_rows(url: str) -> int:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        row = await (await connection.execute("SELECT count(*) FROM tidings.kv_store")).fetchone()
    assert row is not None
    return int(row[0])


async def test_it_deletes_what_expired_of_every_organization(
    kv: Kv,
    organization: Organization,
    other_organization: Organization,
    later: Any,
    superuser_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sweep, "BATCH", 7)
    for tenant in (organization.tenant, other_organization.tenant):
        await kv.mset(tenant, {f"a{n}": n for n in range(10)}, ttl=timedelta(minutes=1))
        await kv.mset(tenant, {f"b{n}": n for n in range(10)}, ttl=timedelta(minutes=20))
        await kv.set(tenant, "c", 1)
    assert await sweep_kv(await later(timedelta(seconds=30))) == 0
    assert await sweep_kv(await later(timedelta(seconds=70))) == 20
    assert await count_rows(superuser_url) == 22
    assert await sweep_kv(await later(timedelta(days=1))) == 20
    assert await count_rows(superuser_url) == 2


async def test_a_key_set_anew_meanwhile_stays(
    kv: Kv, organization: Organization, later: Any
) -> None:
    tenant = organization.tenant
    await kv.set(tenant, "k", 1, ttl=timedelta(minutes=1))
    await kv.set(tenant, "k", 2, ttl=timedelta(days=2))
    await kv.set(tenant, "n", 1, ttl=timedelta(minutes=1))
    await kv.set(tenant, "n", 2)
    assert await sweep_kv(await later(timedelta(days=1))) == 0


async def test_a_watcher_learns_of_an_expiry(
    kv: Kv, hub: Hub, organization: Organization, later: Any
) -> None:
    watching = Kv(kv._database, hub)
    async with watching.watch(organization.tenant, "a") as changes, asyncio.timeout(20):
        written = await kv.set(organization.tenant, "a", 1, ttl=timedelta(seconds=20))
        await kv.set(organization.tenant, "b", 1, ttl=timedelta(seconds=20))
        assert (await anext(changes)).op == "set"
        assert await sweep_kv(await later(timedelta(seconds=30))) == 2
        change = await anext(changes)
        assert (change.op, change.key) == ("delete", "a")
        assert change.version > written.version
