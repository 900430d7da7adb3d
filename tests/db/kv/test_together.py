"""Gets and sets of many callers at once: one round trip, and each gets its own answer."""

import asyncio
import random

import psycopg
import pytest

from tidings.base.errors import DatabaseUnavailable, RoleForbidden
from tidings.base.tenant import Tenant


async def test_sixteen_gets_and_sets_at_once_are_few_round_trips(db, kv, organization):
    tenant = organization.tenant
    names = [f"k{n}" for n in range(16)]
    before = db.trips.total
    written = await asyncio.gather(*(kv.set(tenant, name, name) for name in names))
    assert db.trips.total - before == 2
    assert len({each.version for each in written}) == 16
    before = db.trips.total
    entries = await asyncio.gather(*(kv.get(tenant, name) for name in names))
    assert db.trips.total - before == 1
    assert [entry.value for entry in entries] == names
    assert [entry.version for entry in entries] == [each.version for each in written]


async def test_sets_of_one_key_at_once_are_each_told_their_version(kv, organization):
    tenant = organization.tenant
    written = await asyncio.gather(*(kv.set(tenant, "k", n) for n in range(9)))
    versions = [each.version for each in written]
    assert len(set(versions)) == 9
    last = await kv.get(tenant, "k")
    assert (last.version, last.value) == (max(versions), versions.index(max(versions)))


async def test_each_key_keeps_its_own_time_to_live(kv, organization):
    from datetime import timedelta

    tenant = organization.tenant
    lives = [None, timedelta(minutes=1), timedelta(days=2)]
    written = await asyncio.gather(
        *(kv.set(tenant, f"k{n}", n, ttl=t) for n, t in enumerate(lives))
    )
    assert written[0].expires_at is None
    assert written[2].expires_at - written[1].expires_at > timedelta(days=1)


async def test_a_forbidden_set_fails_alone(kv, organization):
    tenant = organization.tenant
    answers = await asyncio.gather(
        kv.set(tenant, "a", 1),
        kv.set(tenant, "engagement:x", 2),
        kv.set(tenant, "b", 3),
        return_exceptions=True,
    )
    assert isinstance(answers[1], RoleForbidden)
    stored = await kv.mget(tenant, ["a", "engagement:x", "b"])
    assert [entry and entry.value for entry in stored] == [1, None, 3]


async def test_tenants_and_roles_never_mix(kv, organization, other_organization):
    tenants = [organization.tenant, other_organization.tenant, organization.acting("viewer")]
    sets = await asyncio.gather(
        *(kv.set(tenant, "k", place) for place, tenant in enumerate(tenants)),
        return_exceptions=True,
    )
    assert isinstance(sets[2], RoleForbidden)
    entries = await asyncio.gather(*(kv.get(tenant, "k") for tenant in tenants))
    assert [entry.value for entry in entries] == [0, 1, 0]
    stranger = Tenant(organization.organization_id, other_organization.user_id, "member")
    assert (await kv.get(stranger, "k")).value == 0


async def test_many_callers_agree_with_a_dict(kv, organization):
    tenant = organization.tenant
    names = [f"k{n}" for n in range(8)]
    history = {name: {None} for name in names}
    latest = dict.fromkeys(names, 0)

    async def caller(seed):
        chance = random.Random(seed)
        for step in range(30):
            name = chance.choice(names)
            if chance.random() < 0.5:
                value = f"{seed}:{step}"
                history[name].add(value)
                written = await kv.set(tenant, name, value, relaxed=chance.random() < 0.3)
                latest[name] = max(latest[name], written.version)
            else:
                least = latest[name]
                entry = await kv.get(tenant, name)
                # What was acknowledged before we asked is seen, or something newer.
                assert (entry.version if entry else 0) >= least
                assert (entry.value if entry else None) in history[name]

    await asyncio.gather(*(caller(seed) for seed in range(16)))
    for name, entry in zip(names, await kv.mget(tenant, names), strict=True):
        assert (entry.version if entry else 0) == latest[name]


async def test_a_connection_that_breaks_under_a_group_leaves_no_one_waiting(
    db, kv, organization, superuser_url
):
    tenant = organization.tenant
    await kv.set(tenant, "held", 0)
    async with (
        await psycopg.AsyncConnection.connect(superuser_url) as other,
        # In a transaction no session is seen that came after the first look.
        await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as eye,
        asyncio.timeout(20),
    ):
        await other.execute("SELECT 1 FROM tidings.kv_store WHERE key = 'held' FOR UPDATE")
        callers = [asyncio.create_task(kv.set(tenant, name, 1)) for name in ("a", "b", "held", "z")]
        while not (waiting := await _waiting(eye)):
            await asyncio.wait(callers, timeout=0.02)
        await eye.execute("SELECT pg_terminate_backend(%s)", [waiting])
        answers = await asyncio.gather(*callers, return_exceptions=True)
    lost = [isinstance(answer, DatabaseUnavailable) for answer in answers]
    assert any(lost)
    stored = await kv.mget(tenant, ["a", "b", "held", "z"])
    for answer, entry in zip(answers, stored, strict=True):
        if not isinstance(answer, Exception):
            assert entry.version == answer.version


async def _waiting(connection):
    cursor = await connection.execute(
        "SELECT pid FROM pg_stat_activity "
        "WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    row = await cursor.fetchone()
    return row and row[0]


@pytest.mark.parametrize("relaxed", [False, True])
async def test_what_is_acknowledged_is_committed(kv, organization, superuser_url, relaxed):
    async with await psycopg.AsyncConnection.connect(superuser_url) as eye:
        for n in range(5):
            written = await kv.set(organization.tenant, f"k{n}", n, relaxed=relaxed)
            cursor = await eye.execute(
                "SELECT version FROM tidings.kv_store WHERE key = %s", [f"k{n}"]
            )
            assert await cursor.fetchone() == (written.version,)
            await eye.commit()
