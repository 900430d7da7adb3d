"""Each verb of the store, against PostgreSQL."""

import random
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from tidings.base.errors import (
    BodyTooLarge,
    CursorInvalid,
    InputInvalid,
    RoleForbidden,
    VersionStale,
)
from tidings.base.settings import Settings
from tidings.db.pools import primary_pool
from tidings.db.transaction import Database
from tidings.kv.entry import Entry
from tidings.kv.purge import delete_prefix
from tidings.kv.stats import read_stats
from tidings.kv.store import Kv, queue_set
from tidings.kv.watch import TOPICS
from tidings.realtime.subscribe import Hub

from factories.organizations import Organization

VALUES = [
    None,
    True,
    0,
    -1,
    2**63 - 1,
    2**64 - 1,
    -(2**63),
    1.5,
    1e300,
    -1e300,
    2.5e-300,
    "",
    'grüße \U0001f600 \\u0000 "',
    [],
    {},
    [1, [2, {"a": [None]}]],
    {"": 1, "b": {"c": [1.25, "x"]}},
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
async def test_any_json_comes_back(kv: Kv, organization: Organization, value: Any) -> None:
    written = await kv.set(organization.tenant, "k", value)
    entry = await kv.get(organization.tenant, "k")
    assert entry == Entry("k", value, written.version, None)


async def test_the_largest_and_deepest_values_fit(kv: Kv, organization: Organization) -> None:
    deep: Any = 1
    for _ in range(256):
        deep = [deep]
    for value in ("x" * 1_048_574, [1] * 524_287, [[]] * 349_525, deep):
        await kv.set(organization.tenant, "k", value)
        entry = await kv.get(organization.tenant, "k")
        assert entry is not None
        assert entry.value == value
    with pytest.raises(BodyTooLarge):
        await kv.set(organization.tenant, "k", "x" * 1_048_575)
    with pytest.raises(InputInvalid):
        await kv.set(organization.tenant, "k", [deep])


@pytest.mark.parametrize("key", ["a//b", "/a", "a/", "a%_*?b", " ", "..", "\u00e9" * 512, "a\nb"])
async def test_keys_are_never_normalised(kv: Kv, organization: Organization, key: str) -> None:
    await kv.set(organization.tenant, key, key)
    assert [entry.key for entry in (await kv.list(organization.tenant)).items] == [key]
    assert await kv.delete(organization.tenant, key)
    assert await kv.get(organization.tenant, key) is None


async def test_a_missing_key_is_none_and_deletes_as_false(
    kv: Kv, organization: Organization
) -> None:
    assert await kv.get(organization.tenant, "k") is None
    assert not await kv.delete(organization.tenant, "k")


async def test_a_version_only_rises_and_never_returns(kv: Kv, organization: Organization) -> None:
    tenant = organization.tenant
    versions = []
    for value in (1, 1, 2):
        versions.append((await kv.set(tenant, "k", value)).version)
        versions.append((await kv.increment(tenant, "k")).version)
        await kv.delete(tenant, "k")
    assert versions == sorted(set(versions))


async def test_compare_and_set(kv: Kv, organization: Organization) -> None:
    tenant = organization.tenant
    first = await kv.set(tenant, "k", 1, only_if_absent=True)
    with pytest.raises(VersionStale):
        await kv.set(tenant, "k", 2, only_if_absent=True)
    second = await kv.set(tenant, "k", 2, if_version=first.version)
    with pytest.raises(VersionStale):
        await kv.set(tenant, "k", 3, if_version=first.version)
    with pytest.raises(VersionStale):
        await kv.set(tenant, "missing", 3, if_version=second.version)
    with pytest.raises(VersionStale):
        await kv.delete(tenant, "k", if_version=first.version)
    assert await kv.delete(tenant, "k", if_version=second.version)
    await kv.set(tenant, "k", 2)
    with pytest.raises(VersionStale):  # made anew: not the one that was read
        await kv.set(tenant, "k", 3, if_version=second.version)
    for version in (-1, 2**63):
        with pytest.raises(InputInvalid):
            await kv.set(tenant, "k", 3, if_version=version)


async def test_many_at_once(kv: Kv, organization: Organization) -> None:
    tenant = organization.tenant
    written = await kv.mset(tenant, {"b": 2, "a": [1], "c": None}, ttl=timedelta(hours=1))
    assert set(written) == {"a", "b", "c"}
    found = await kv.mget(tenant, ["c", "missing", "a", "c"])
    assert [entry and (entry.key, entry.value) for entry in found] == [
        ("c", None),
        None,
        ("a", [1]),
        ("c", None),
    ]
    assert found[0] is not None
    assert found[0].version == written["c"].version
    assert found[0].expires_at == written["c"].expires_at
    assert await kv.mdelete(tenant, ["a", "missing", "c", "a"]) == 2
    assert await kv.mset(tenant, {}) == {}
    assert await kv.mget(tenant, []) == []
    assert await kv.mdelete(tenant, []) == 0
    for verb in (kv.mget, kv.mdelete):
        with pytest.raises(InputInvalid):
            await verb(tenant, ["k"] * 1001)
    with pytest.raises(InputInvalid):
        await kv.mset(tenant, {"a": 1, "": 2})
    with pytest.raises(BodyTooLarge):
        await kv.mset(tenant, dict.fromkeys(map(str, range(65)), "x" * 1_048_570))
    assert [entry.key for entry in (await kv.list(tenant)).items] == ["b"]


async def test_lists_are_ordered_by_bytes_and_paged(kv: Kv, organization: Organization) -> None:
    tenant = organization.tenant
    keys = ["a", "a%", "a%b", "aB", "a_", "ab", "aé", "a\ud7ff", "a\ue000", "a\U0010ffff", "b"]
    await kv.mset(tenant, dict.fromkeys(reversed(keys), 0))
    for limit in (1, 3, 200):
        seen, cursor = [], None
        while True:
            page = await kv.list(tenant, "a", limit=limit, cursor=cursor)
            assert len(page.items) <= limit
            seen += [entry.key for entry in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert seen == keys[:-1]
    assert [e.key for e in (await kv.list(tenant, "a%")).items] == ["a%", "a%b"]
    assert [e.key for e in (await kv.list(tenant, "a\ud7ff")).items] == ["a\ud7ff"]
    assert [e.key for e in (await kv.list(tenant, "a\U0010ffff")).items] == ["a\U0010ffff"]
    assert (await kv.list(tenant, "c")).items == []
    assert len((await kv.list(tenant)).items) == len(keys)
    forged = (await kv.list(tenant, limit=1)).next_cursor
    for cursor in ("!", "", "é", "YQ==", "_w"):
        with pytest.raises(CursorInvalid):
            await kv.list(tenant, cursor=cursor)
    with pytest.raises(CursorInvalid):
        await kv.list(tenant, "b", cursor=forged)
    for limit in (0, 201):
        with pytest.raises(InputInvalid):
            await kv.list(tenant, limit=limit)


async def test_a_page_of_large_values_ends_early(kv: Kv, organization: Organization) -> None:
    tenant = organization.tenant
    for n in range(20):  # hardly compressible, so that 20 of them are above 8 MiB as stored
        await kv.set(tenant, f"k{n:02}", random.Random(n).randbytes(500_000).hex())
    pages = [await kv.list(tenant, limit=200)]
    while pages[-1].next_cursor is not None:
        pages.append(await kv.list(tenant, limit=200, cursor=pages[-1].next_cursor))
    assert [len(page.items) for page in pages] == [9, 9, 2]
    assert [e.key for page in pages for e in page.items] == [f"k{n:02}" for n in range(20)]


async def test_values_that_compress_end_a_page_too(kv: Kv, organization: Organization) -> None:
    tenant = organization.tenant
    await kv.mset(tenant, {f"k{n:02}": "x" * 1_000_000 for n in range(12)})
    page = await kv.list(tenant, limit=200)
    assert len(page.items) == 9
    assert page.next_cursor is not None
    rest = await kv.list(tenant, limit=3, cursor=page.next_cursor)
    assert [entry.key for entry in rest.items] == ["k09", "k10", "k11"]
    assert rest.next_cursor is None


async def test_increment(kv: Kv, organization: Organization) -> None:
    tenant = organization.tenant
    made = await kv.increment(tenant, "n", ttl=timedelta(hours=1))
    assert made.value == 1
    assert made.expires_at is not None
    again = await kv.increment(tenant, "n", 41, ttl=timedelta(hours=5))
    assert (again.value, again.expires_at) == (42, made.expires_at)
    assert (await kv.increment(tenant, "n", -0.5)).value == 41.5
    for value in ("1", None, [1], True):
        await kv.set(tenant, "n", value)
        with pytest.raises(InputInvalid):
            await kv.increment(tenant, "n")
        entry = await kv.get(tenant, "n")
        assert entry is not None
        assert entry.value == value
    await kv.set(tenant, "n", 2**63 - 1)
    with pytest.raises(InputInvalid):
        await kv.increment(tenant, "n")
    await kv.set(tenant, "n", 1.7e308)
    with pytest.raises(InputInvalid):
        await kv.increment(tenant, "n", 1.7e308)
    for by in (float("nan"), float("inf"), True, 2**64):
        with pytest.raises(InputInvalid):
            await kv.increment(tenant, "n", by)


async def test_expired_keys_are_not_there(
    kv: Kv, kv_later: Any, organization: Organization
) -> None:
    tenant = organization.tenant
    written = await kv.mset(tenant, {"a": 1, "b": "text"}, ttl=timedelta(minutes=1))
    await kv.set(tenant, "stays", 1)
    soon = await kv_later(timedelta(seconds=30))
    assert await soon.get(tenant, "a") is not None
    after = await kv_later(timedelta(seconds=70))
    assert await after.get(tenant, "a") is None
    assert await after.mget(tenant, ["a", "b"]) == [None, None]
    assert [e.key for e in (await after.list(tenant)).items] == ["stays"]
    with pytest.raises(VersionStale):
        await after.set(tenant, "a", 2, if_version=written["a"].version)
    with pytest.raises(VersionStale):
        await after.delete(tenant, "a", if_version=written["a"].version)
    assert await after.mdelete(tenant, ["a", "stays"]) == 1
    assert (await after.increment(tenant, "b")).value == 1  # made anew, without an expiry
    entry = await after.get(tenant, "b")
    assert entry is not None
    assert entry.expires_at is None
    await kv.set(tenant, "c", 1, ttl=timedelta(minutes=1))
    made = await after.set(tenant, "c", 2, only_if_absent=True)
    assert made.version > written["a"].version
    stats = await read_stats(after._database, tenant)
    assert stats.prefixes[0].keys == 2


@pytest.mark.parametrize("seconds", [0, -1, 315_360_001])
async def test_an_impossible_time_to_live(
    kv: Kv, organization: Organization, seconds: float
) -> None:
    with pytest.raises(InputInvalid):
        await kv.set(organization.tenant, "k", 1, ttl=timedelta(seconds=seconds))


async def test_set_without_a_time_to_live_clears_it(kv: Kv, organization: Organization) -> None:
    tenant = organization.tenant
    assert (await kv.set(tenant, "k", 1, ttl=timedelta(seconds=1))).expires_at is not None
    assert (await kv.set(tenant, "k", 1)).expires_at is None


async def test_a_write_in_the_callers_transaction(
    kv: Kv, db: Database, organization: Organization
) -> None:
    tenant = organization.tenant
    async with db.tenant_batch(tenant) as batch:
        queue_set(batch, "batch", {"a": 1}, ttl=timedelta(hours=1))
    with suppress(ZeroDivisionError):
        async with db.tenant_transaction(tenant) as transaction:
            queue_set(transaction, "rolled back", 1)
            raise ZeroDivisionError
    assert [e.key for e in (await kv.list(tenant)).items] == ["batch"]


async def test_delete_by_prefix(kv: Kv, db: Database, organization: Organization) -> None:
    tenant = organization.tenant
    await kv.mset(tenant, {f"a:{n}": n for n in range(600)})
    await kv.mset(tenant, {f"a:x{n}": n for n in range(600)})
    await kv.mset(tenant, {"a": 1, "a;": 2, "b": 3})
    assert await delete_prefix(db, tenant, "a:") == 1200
    assert await delete_prefix(db, tenant, "a:") == 0
    assert [e.key for e in (await kv.list(tenant)).items] == ["a", "a;", "b"]
    assert await delete_prefix(db, tenant, "") == 3


async def test_stats_by_prefix(kv: Kv, db: Database, organization: Organization) -> None:
    tenant = organization.tenant
    await kv.mset(tenant, {"a:1": "x" * 100, "a:2:3": 1, "plain": 1, "b:": 1})
    await kv.set(tenant, "a:4", 1, ttl=timedelta(hours=1))
    stats = await read_stats(db, tenant)
    assert stats.complete
    assert [(s.prefix, s.keys, s.expiring) for s in stats.prefixes] == [
        ("", 1, 0),
        ("a:", 3, 1),
        ("b:", 1, 0),
    ]
    assert stats.prefixes[1].bytes > 100
    assert stats.prefixes[1].next_expiry is not None
    assert stats.prefixes[1].oldest <= stats.prefixes[1].newest
    with pytest.raises(RoleForbidden):
        await read_stats(db, organization.acting("member"))


async def test_relaxed_writes_do_not_wait_for_the_disk(
    settings: Settings, database_url: str, organization: Organization, superuser_url: str
) -> None:
    """The setting reaches the transaction of the write, and only that."""
    async with await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as connection:
        await connection.execute(
            "CREATE FUNCTION tidings.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "NEW.value := to_jsonb(current_setting('synchronous_commit')); RETURN NEW; END $$"
        )
        await connection.execute(
            "CREATE TRIGGER a_note BEFORE INSERT ON tidings.kv_store "
            "FOR EACH ROW EXECUTE FUNCTION tidings.note()"
        )
    url = f"{database_url}?options={quote('-c synchronous_commit=local')}"
    database = Database(primary_pool(settings, url))
    await database.open()
    kv, tenant = Kv(database, Hub(database, TOPICS)), organization.tenant
    await kv.set(tenant, "a", 1, relaxed=True)
    await kv.set(tenant, "b", 1)
    values = [entry and entry.value for entry in await kv.mget(tenant, ["a", "b"])]
    await database.close()
    assert values == ["off", "local"]
