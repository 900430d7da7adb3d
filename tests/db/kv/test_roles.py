"""Who may do what with which key."""

from typing import Any

import psycopg
import pytest

from tidings.base.errors import RoleForbidden
from tidings.base.tenant import Role
from tidings.db.transaction import Database
from tidings.kv.operations import Check, Delete, Get, Increment, Set
from tidings.kv.purge import delete_prefix
from tidings.kv.store import Kv

from factories.organizations import Organization

OWNED = "engagement:acmecorp.com:1"


async def write_every_way(kv: Kv, tenant: Any, key: str) -> None:
    version = (await kv.set(tenant, key, 1)).version
    await kv.set(tenant, key, 2, if_version=version)
    await kv.mset(tenant, {key: 1})
    await kv.increment(tenant, key)
    await kv.mutate(tenant, [Set(key, value=1), Increment(key)])


@pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer"])
async def test_no_person_writes_what_a_service_owns(
    kv: Kv, organization: Organization, role: Role
) -> None:
    person, service = organization.acting(role), organization.acting("service")
    version = (await kv.set(service, OWNED, 1)).version
    for write in (
        kv.set(person, OWNED, 2),
        kv.set(person, OWNED, 2, if_version=version),
        kv.set(person, OWNED, 2, if_version=version + 1),
        kv.set(person, "engagement:new", 2, only_if_absent=True),
        kv.mset(person, {"a": 1, OWNED: 2}),
        kv.increment(person, OWNED),
        kv.mutate(person, [Set("a", value=1), Set(OWNED, value=2)]),
        kv.mutate(person, [Increment(OWNED)]),
    ):
        with pytest.raises(RoleForbidden):
            await write
    entry = await kv.get(person, OWNED)
    assert entry is not None
    assert (entry.value, entry.version) == (1, version)
    assert await kv.get(person, "a") is None


async def test_services_write_what_they_own(kv: Kv, organization: Organization) -> None:
    await write_every_way(kv, organization.acting("service"), OWNED)
    await write_every_way(kv, organization.acting("service"), "other")


@pytest.mark.parametrize(
    ("role", "allowed"), [("owner", True), ("admin", True), ("service", True), ("member", False)]
)
async def test_admins_and_services_delete_what_a_service_owns(
    kv: Kv, db: Database, organization: Organization, role: Role, allowed: bool
) -> None:
    actor, service = organization.acting(role), organization.acting("service")
    ways = (
        lambda: kv.delete(actor, OWNED),
        lambda: kv.mdelete(actor, ["a", OWNED]),
        lambda: delete_prefix(db, actor, "engagement:acmecorp.com:"),
        lambda: kv.mutate(actor, [Delete(OWNED)]),
    )
    for way in ways:
        await kv.set(service, OWNED, 1)
        if allowed:
            await way()
        else:
            with pytest.raises(RoleForbidden, match="engagement:"):
                await way()
        assert (await kv.get(service, OWNED) is None) is allowed


async def test_a_key_beside_an_owned_prefix_is_free(kv: Kv, organization: Organization) -> None:
    for key in ("engagement", "engagement;", "Engagement:", " engagement:"):
        await write_every_way(kv, organization.acting("member"), key)


async def test_a_viewer_reads_and_never_writes(kv: Kv, organization: Organization) -> None:
    viewer = organization.acting("viewer")
    version = (await kv.set(organization.tenant, "k", 1)).version
    for write in (
        kv.set(viewer, "k", 2),
        kv.set(viewer, "k", 2, if_version=version),
        kv.mset(viewer, {"k": 2}),
        kv.increment(viewer, "k"),
        kv.delete(viewer, "k"),
        kv.mdelete(viewer, ["k"]),
        kv.mutate(viewer, [Set("k", value=2)]),
        kv.mutate(viewer, [Delete("k")]),
    ):
        with pytest.raises(RoleForbidden):
            await write
    results = await kv.mutate(viewer, [Get("k"), Check("k", version=version)])
    assert [result.value for result in results] == [1, None]
    assert len((await kv.list(viewer)).items) == 1


async def test_another_organizations_keys_are_not_there(
    kv: Kv, organization: Organization, other_organization: Organization
) -> None:
    for role in ("owner", "service"):
        other = other_organization.acting(role)  # type: ignore[arg-type]
        await kv.set(organization.tenant, "k", "ours")
        assert await kv.get(other, "k") is None
        assert await kv.mget(other, ["k"]) == [None]
        assert (await kv.list(other)).items == []
        assert not await kv.delete(other, "k")
        await kv.set(other, "k", "theirs", only_if_absent=True)
        assert await kv.delete(other, "k")
        entry = await kv.get(organization.tenant, "k")
        assert entry is not None
        assert entry.value == "ours"


@pytest.mark.parametrize("role", ["member", "viewer"])
@pytest.mark.parametrize(
    "statement",
    [
        """INSERT INTO tidings.kv_store (organization_id, key, value)
        VALUES (tidings.current_organization(), 'engagement:x', '1')""",
        "UPDATE tidings.kv_store SET key = 'engagement:y' WHERE key = 'k'",
        "UPDATE tidings.kv_store SET value = '2' WHERE key LIKE 'engagement:%'",
        "DELETE FROM tidings.kv_store WHERE key LIKE 'engagement:%'",
        "INSERT INTO tidings.kv_owned_prefixes VALUES ('k', 'me')",
        """INSERT INTO tidings.kv_watches (organization_id, prefix, until)
        VALUES (tidings.current_organization(), '', now())""",
    ],
)
async def test_row_security_holds_below_the_functions(
    kv: Kv, organization: Organization, database_url: str, role: Role, statement: str
) -> None:
    await kv.set(organization.acting("service"), OWNED, 1)
    await kv.set(organization.tenant, "k", 1)
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await connection.execute(
            "SELECT set_config('tidings.organization_id', %s, true), "
            "set_config('tidings.user_id', %s, true), set_config('tidings.role', %s, true)",
            [str(organization.organization_id), str(organization.user_id), role],
        )
        try:
            touched = (await connection.execute(statement)).rowcount  # type: ignore[arg-type]
        except psycopg.errors.InsufficientPrivilege:
            touched = 0
    assert touched == 0
    entries = await kv.mget(organization.tenant, [OWNED, "k"])
    assert [entry and entry.value for entry in entries] == [1, 1]
