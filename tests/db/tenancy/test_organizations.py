import asyncio

import pytest

from tidings.base.errors import InputInvalid, RoleForbidden
from tidings.db.queries import Query
from tidings.tenancy.audit import list_entries
from tidings.tenancy.members import list_members
from tidings.tenancy.organizations import (
    OrganizationChange,
    create_organization,
    ensure_default_organization,
    read_organization,
    update_organization,
)


async def test_an_organization_is_made_with_its_owner(db, look):
    made = await create_organization(db, " Acme ", "ada@example.com", "Ada", "a long password")
    assert made.created
    found = await read_organization(db, made.tenant)
    assert (found.name, found.time_zone) == ("Acme", "UTC")
    [owner] = await list_members(db, made.tenant)
    assert (owner.email, owner.name, owner.role) == ("ada@example.com", "Ada", "owner")
    assert "a long password" not in str(look("SELECT * FROM tidings.user_passwords"))
    [entry] = await list_entries(db, made.tenant)
    assert (entry.action, entry.actor_kind) == ("organization.created", "service")


async def test_the_default_organization_is_made_once(db, look):
    found = await asyncio.gather(*(ensure_default_organization(db) for _ in range(6)))
    assert sum(one.created for one in found) == 1
    assert len({(one.organization_id, one.user_id) for one in found}) == 1
    assert look("SELECT count(*) FROM tidings.users") == [(1,)]
    again = await ensure_default_organization(db, name="Other", owner_email="other@example.com")
    assert (again.organization_id, again.created) == (found[0].organization_id, False)
    assert look("SELECT count(*) FROM tidings.users") == [(1,)]


async def test_a_known_person_keeps_name_and_password(db, look):
    await create_organization(db, "One", "ada@example.com", "Ada", "a long password")
    before = look("SELECT * FROM tidings.user_passwords")
    await create_organization(db, "Two", "Ada@Example.com", "Eve", "another password")
    assert look("SELECT * FROM tidings.user_passwords") == before
    assert look("SELECT name FROM tidings.users") == [("Ada",)]


@pytest.mark.parametrize(
    ("name", "email", "slug", "password"),
    [
        ("", "ada@example.com", None, None),
        ("x" * 201, "ada@example.com", None, None),
        ("Acme", "ada", None, None),
        ("Acme", "ada@example.com", "No Slug", None),
        ("Acme", "ada@example.com", None, "short"),
    ],
)
async def test_bad_fields_make_nothing(db, look, name, email, slug, password):
    with pytest.raises(InputInvalid):
        await create_organization(db, name, email, password=password, slug=slug)
    assert look("SELECT count(*) FROM tidings.organizations") == [(0,)]


async def test_no_organization_is_made_from_within_one(db, organization):
    create = Query(
        "create",
        "Creates.",
        "SELECT * FROM tidings.create_organization_v1(tidings.uuid7(), 'x', NULL,"
        " tidings.uuid7(), 'a@b.c', '', NULL)",
    )
    with pytest.raises(RoleForbidden):
        async with db.tenant_batch(organization.tenant) as batch:
            batch.add(create)


async def test_settings_change_one_by_one_and_are_recorded(db, organization):
    change = OrganizationChange(time_zone="Europe/Berlin")
    changed = await update_organization(db, organization.tenant, change)
    assert (changed.name, changed.time_zone) == ("Harbour & Pine", "Europe/Berlin")
    back = await update_organization(db, organization.tenant, OrganizationChange(name="New"))
    assert (back.name, back.time_zone) == ("New", "Europe/Berlin")
    assert [e.payload for e in await list_entries(db, organization.tenant)] == [
        {"name": "New"},
        {"time_zone": "Europe/Berlin"},
    ]


@pytest.mark.parametrize(
    "change",
    [
        OrganizationChange(time_zone="Mars/Olympus"),
        OrganizationChange(time_zone="../../etc/passwd"),
        OrganizationChange(time_zone=""),
        OrganizationChange(name=" "),
        OrganizationChange(name="a\x00"),
    ],
)
async def test_bad_settings_change_nothing(db, organization, change):
    with pytest.raises(InputInvalid):
        await update_organization(db, organization.tenant, change)
    assert (await read_organization(db, organization.tenant)).name == "Harbour & Pine"


async def test_members_read_settings_and_admins_change_them(
    db, organization, other_organization, person
):
    member = person(organization, "member")
    assert (await read_organization(db, member)).id == organization.organization_id
    with pytest.raises(RoleForbidden):
        await update_organization(db, member, OrganizationChange(name="Mine"))
    await update_organization(db, person(organization, "admin"), OrganizationChange(name="Ours"))
    assert (await read_organization(db, other_organization.tenant)).name == "Other House"
