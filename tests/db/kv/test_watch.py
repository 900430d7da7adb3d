"""A watch misses no change, costs those who do not watch nothing, and can be resumed."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

import msgspec
import psycopg
import pytest
import structlog

from tidings.base.errors import CursorInvalid, DatabaseBusy, InputInvalid, RateExceeded
from tidings.db.transaction import Database
from tidings.kv import watch as watch_module
from tidings.kv.operations import Delete, Increment, Set
from tidings.kv.store import Kv
from tidings.kv.watch import Change, Watch
from tidings.realtime.outbox import publish
from tidings.realtime.subscribe import Hub

from factories.organizations import Organization


@pytest.fixture
def watching(db: Database, hub: Hub) -> Kv:
    """A store whose hub and relay run."""
    return Kv(db, hub)


async def take(watch: Watch, count: int) -> list[Change]:
    async with asyncio.timeout(20):
        return [await anext(watch) for _ in range(count)]


async def test_every_kind_of_change_in_order(
    watching: Kv, organization: Organization, other_organization: Organization
) -> None:
    tenant, kv = organization.tenant, watching
    await kv.set(tenant, "a:before", 0)
    async with kv.watch(tenant, "a:") as watch:
        first = await kv.set(tenant, "a:1", {"n": [1e300, None]})
        await kv.set(tenant, "b:1", 1)
        await kv.set(other_organization.tenant, "a:1", "theirs")
        await kv.mset(tenant, {"a:3": 3, "a:2": 2})
        await kv.increment(tenant, "a:2")
        await kv.delete(tenant, "a:1")
        await kv.mutate(tenant, [Increment("a:3"), Delete("a:2"), Set("a:1", value=None)])
        changes = await take(watch, 8)
    assert [(c.op, c.key, c.value) for c in changes] == [
        ("set", "a:1", {"n": [1e300, None]}),
        ("set", "a:2", 2),
        ("set", "a:3", 3),
        ("set", "a:2", 3),
        ("delete", "a:1", msgspec.UNSET),
        ("set", "a:1", None),
        ("delete", "a:2", msgspec.UNSET),
        ("set", "a:3", 4),
    ]
    assert changes[0].version == first.version
    for key in ("a:1", "a:2", "a:3"):
        versions = [change.version for change in changes if change.key == key]
        assert versions == sorted(set(versions))


async def test_a_large_value_is_left_out(watching: Kv, organization: Organization) -> None:
    async with watching.watch(organization.tenant) as watch:
        await watching.set(organization.tenant, "k", "x" * 17_000)
        (change,) = await take(watch, 1)
    assert change.value is msgspec.UNSET
    assert "value" not in msgspec.to_builtins(change)


async def test_a_prefix_is_plain_text_and_checked(watching: Kv, organization: Organization) -> None:
    async with watching.watch(organization.acting("viewer"), "a%_") as watch:
        await watching.set(organization.tenant, "abc", 1)
        await watching.set(organization.tenant, "a%_c", 1)
        assert [change.key for change in await take(watch, 1)] == ["a%_c"]
    with pytest.raises(InputInvalid):
        async with watching.watch(organization.tenant, "\x00"):
            pytest.fail("watched")


async def test_no_change_is_lost_between_reading_and_watching(
    watching: Kv, organization: Organization
) -> None:
    """What watchers read when they come, and the changes since, give what there is."""
    tenant, kv = organization.tenant, watching
    writers = 6
    done = asyncio.Event()

    async def keep_writing(writer: int) -> None:
        n = 0
        while not done.is_set():
            n += 1
            await kv.mutate(tenant, [Set(f"{w}:{writer}", value=n) for w in range(6)])
            if n % 5 == 0:
                await kv.mdelete(tenant, [f"{w}:{writer}" for w in range(6)])
        await kv.mset(tenant, {f"{w}:{writer}": "last" for w in range(6)})

    async def keep_watching(watcher: int) -> None:
        async with kv.watch(tenant, f"{watcher}:") as watch:
            page = await kv.list(tenant, f"{watcher}:", limit=200)
            state = {entry.key: (entry.version, entry.value) for entry in page.items}
            watched.add(watcher)
            if len(watched) == 6:
                done.set()
            while sum(value == "last" for _, value in state.values()) < writers:
                (change,) = await take(watch, 1)
                known = state.get(change.key)
                if known is None or change.version > known[0]:
                    state[change.key] = (change.version, change.value)

    watched: set[int] = set()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for writer in range(writers):
            group.create_task(keep_writing(writer))
        for watcher in range(6):
            group.create_task(keep_watching(watcher))
    assert watched == set(range(6))


async def test_it_waits_for_a_writer_that_was_under_way(
    watching: Kv, organization: Organization, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a writer did not see the watch and publishes nothing; the reader sees what it wrote."""
    monkeypatch.setattr(watch_module, "PATIENCE", 60)
    tenant = organization.tenant
    async with await psycopg.AsyncConnection.connect(database_url) as writer:
        await writer.execute(
            "SELECT set_config('tidings.organization_id', %s, true), "
            "set_config('tidings.role', 'member', true)",
            [str(organization.organization_id)],
        )
        await writer.execute(
            "INSERT INTO tidings.kv_store (organization_id, key, value) "
            "VALUES (tidings.current_organization(), 'k', '1')"
        )
        context = watching.watch(tenant)
        entering = asyncio.create_task(context.__aenter__())  # type: ignore[arg-type]
        async with await psycopg.AsyncConnection.connect(database_url) as looking:
            await looking.execute(
                "SELECT set_config('tidings.organization_id', %s, false)",
                [str(organization.organization_id)],
            )
            looks_after = 0
            while looks_after < 50:  # many times what it would take without a barrier
                cursor = await looking.execute("SELECT 1 FROM tidings.kv_watches")
                looks_after += bool(await cursor.fetchall())
                await looking.commit()
        assert not entering.done()
        await writer.commit()
    watch: Any = await asyncio.wait_for(entering, 20)
    assert await watching.get(tenant, "k") is not None
    await watching.set(tenant, "k", 2)
    assert [change.value for change in await take(watch, 1)] == [2]
    await context.__aexit__(None, None, None)


async def test_it_does_not_wait_for_ever(
    watching: Kv,
    db: Database,
    organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch_module, "PATIENCE", 0.05)
    async with db.tenant_transaction(organization.tenant) as slow:
        publish(slow, "run:1", "said", 1)
        await slow.fetch(watch_module.sql.kv_watch_barrier)
        with pytest.raises(DatabaseBusy):
            async with watching.watch(organization.tenant):
                pytest.fail("watched")


async def test_it_resumes_while_the_watch_is_alive(
    watching: Kv, organization: Organization, kv_later: Any
) -> None:
    tenant, kv = organization.tenant, watching
    async with kv.watch(tenant, "a") as watch:
        await kv.set(tenant, "a", 1)
        await take(watch, 1)
        position = watch.position
    await kv.mset(tenant, {"a": 2, "b": 1})
    async with kv.watch(tenant, "a", after=position) as watch:
        assert [change.value for change in await take(watch, 1)] == [2]
    for prefix in ("b", ""):  # not watched all the time since
        with pytest.raises(CursorInvalid):
            async with kv.watch(tenant, prefix, after=position):
                pytest.fail("watched")
    lapsed = await kv_later(timedelta(seconds=61))
    with pytest.raises(CursorInvalid):
        async with lapsed.watch(tenant, "a", after=position):
            pytest.fail("watched")


async def test_heartbeats_keep_a_watch_and_a_lapsed_one_ends(
    watching: Kv,
    organization: Organization,
    superuser_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch_module, "HEARTBEAT", 0.01)
    async with (
        await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as connection,
        watching.watch(organization.tenant, "a") as watch,
    ):

        async def look() -> Any:
            cursor = await connection.execute("SELECT max(until) FROM tidings.kv_watches")
            return await cursor.fetchone()

        before = await look()
        async with asyncio.timeout(20):
            while await look() == before:
                pass
        await connection.execute("UPDATE tidings.kv_watches SET until = now() + interval '29 s'")
        async with asyncio.timeout(20):
            assert [change async for change in watch] == []
        assert watch.dropped


async def test_a_heartbeat_outlives_a_lost_connection(
    watching: Kv,
    organization: Organization,
    superuser_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch_module, "HEARTBEAT", 0.01)
    async with (
        await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as connection,
        watching.watch(organization.tenant, "a") as watch,
    ):
        for n in range(3):
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND usename = 'tidings_app'"
            )
            while True:
                with suppress(Exception):
                    await watching.set(organization.tenant, f"a{n}", n)
                    break
            async with asyncio.timeout(20):
                while (await anext(watch)).key != f"a{n}":
                    pass
        assert not watch.dropped


async def test_a_heartbeat_outlives_any_error(
    watching: Kv,
    organization: Organization,
    superuser_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch_module, "HEARTBEAT", 0.01)
    async with (
        await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as connection,
        watching.watch(organization.tenant, "a"),
        asyncio.timeout(20),
    ):
        with structlog.testing.capture_logs() as logs:
            await connection.execute("ALTER TABLE tidings.kv_watches RENAME TO away")
            while "watch_waits" not in [entry["event"] for entry in logs]:
                await connection.execute("SELECT 1")
            await connection.execute("ALTER TABLE tidings.away RENAME TO kv_watches")
        forget = "UPDATE tidings.kv_watches SET until = now() + interval '31 s' RETURNING until"
        before = await (await connection.execute(forget)).fetchone()
        look = "SELECT until FROM tidings.kv_watches"
        while await (await connection.execute(look)).fetchone() == before:
            pass


async def test_watches_of_an_organization_are_bounded(
    watching: Kv, organization: Organization, superuser_url: str
) -> None:
    async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
        await connection.execute(
            "INSERT INTO tidings.kv_watches (organization_id, prefix, until) "
            "SELECT %s, n::text, now() + interval '1 min' FROM generate_series(1, 200) AS n",
            [organization.organization_id],
        )
    with pytest.raises(RateExceeded):
        async with watching.watch(organization.tenant, "a"):
            pytest.fail("watched")


async def test_an_organization_can_go_while_its_keys_are_watched(
    watching: Kv, organization: Organization, superuser_url: str
) -> None:
    async with watching.watch(organization.tenant):
        await watching.set(organization.tenant, "k", 1)
        async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
            await connection.execute(
                "DELETE FROM tidings.organizations WHERE id = %s", [organization.organization_id]
            )
