import asyncio

import pytest

from tidings.base.errors import InputInvalid, RoleForbidden, RowMissing, StateConflict
from tidings.base.ids import uuid7
from tidings.tenancy.api_keys import issue_key
from tidings.tenancy.audit import list_entries
from tidings.tenancy.members import (
    add_member,
    change_role,
    list_members,
    read_member,
    remove_member,
)


async def roles(db, tenant):
    return {member.user_id: member.role for member in await list_members(db, tenant)}


async def test_an_owner_adds_a_new_person_and_it_is_recorded(db, organization):
    added = await add_member(db, organization.tenant, " Ada@Example.com ", "member", name="Ada")
    members = await list_members(db, organization.tenant)
    assert [m.email for m in members if m.user_id == added] == ["Ada@Example.com"]
    entry = (await list_entries(db, organization.tenant))[0]
    assert (entry.action, entry.target) == ("member.added", f"user:{added}")
    assert entry.payload == {"role": "member"}
    assert entry.actor_user_id == organization.user_id


async def test_a_person_known_elsewhere_is_the_same_person(db, organization, other_organization):
    first = await add_member(db, organization.tenant, "ada@example.com", "member", name="Ada")
    second = await add_member(db, other_organization.tenant, "ADA@example.com", "viewer")
    assert first == second
    assert (await roles(db, organization.tenant))[first] == "member"
    assert (await roles(db, other_organization.tenant))[first] == "viewer"


async def test_one_member_is_read_alone(db, organization, other_organization):
    found = await read_member(db, organization.tenant, organization.user_id)
    assert [found] == await list_members(db, organization.tenant)
    with pytest.raises(RowMissing):
        await read_member(db, other_organization.tenant, organization.user_id)


async def test_adding_twice_is_a_conflict(db, organization):
    await add_member(db, organization.tenant, "ada@example.com", "member")
    with pytest.raises(StateConflict):
        await add_member(db, organization.tenant, "ada@example.com", "admin")


async def test_adding_twice_at_once_makes_one_member(db, organization):
    results = await asyncio.gather(
        *(add_member(db, organization.tenant, "ada@example.com", "member") for _ in range(5)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, StateConflict) for result in results) == 4
    assert len(await list_members(db, organization.tenant)) == 2


async def test_members_page_in_order(db, organization, person):
    for _ in range(3):
        person(organization, "member")
    first = await list_members(db, organization.tenant, limit=2)
    rest = await list_members(db, organization.tenant, after=first[-1].user_id)
    ids = [member.user_id for member in first + rest]
    assert len(ids) == 4
    assert ids == sorted(ids)


@pytest.mark.parametrize("role", ["member", "viewer", "service"])
async def test_below_admin_nobody_changes_members(db, organization, person, role):
    acting = organization.acting("service") if role == "service" else person(organization, role)
    other = person(organization, "viewer")
    with pytest.raises(RoleForbidden):
        await add_member(db, acting, "ada@example.com", "viewer")
    with pytest.raises(RoleForbidden):
        await change_role(db, acting, other.user_id, "member")
    with pytest.raises(RoleForbidden):
        await remove_member(db, acting, other.user_id)


async def test_an_admin_neither_makes_nor_changes_nor_removes_an_owner(db, organization, person):
    admin = person(organization, "admin")
    member = person(organization, "member")
    with pytest.raises(RoleForbidden):
        await add_member(db, admin, "ada@example.com", "owner")
    with pytest.raises(RoleForbidden):
        await change_role(db, admin, member.user_id, "owner")
    with pytest.raises(RoleForbidden):
        await change_role(db, admin, organization.user_id, "member")
    with pytest.raises(RoleForbidden):
        await remove_member(db, admin, organization.user_id)
    await change_role(db, admin, member.user_id, "admin")
    await remove_member(db, admin, member.user_id)


async def test_nobody_raises_themself(db, organization, person):
    admin = person(organization, "admin")
    with pytest.raises(RoleForbidden):
        await change_role(db, admin, admin.user_id, "owner")
    await change_role(db, admin, admin.user_id, "viewer")
    # Still claiming to be an admin, as a request under way would: the row decides.
    with pytest.raises(RoleForbidden):
        await change_role(db, admin, admin.user_id, "admin")


async def test_a_role_lowered_for_a_key_counts(db, organization, person):
    member = person(organization, "member")
    with pytest.raises(RoleForbidden):
        await change_role(db, organization.acting("admin"), member.user_id, "owner")


async def test_a_member_may_leave_and_their_keys_end(db, organization, person, look):
    member = person(organization, "viewer")
    await issue_key(db, member, "mine")
    await remove_member(db, member, member.user_id)
    assert member.user_id not in await roles(db, organization.tenant)
    assert look("SELECT count(*) FROM tidings.api_keys") == [(0,)]


async def test_the_last_owner_stays(db, organization):
    with pytest.raises(StateConflict):
        await remove_member(db, organization.tenant, organization.user_id)
    with pytest.raises(StateConflict):
        await change_role(db, organization.tenant, organization.user_id, "admin")
    assert await roles(db, organization.tenant) == {organization.user_id: "owner"}


async def test_two_owners_who_leave_at_once_leave_one(db, organization, person):
    second = person(organization, "owner")
    for _ in range(5):
        results = await asyncio.gather(
            change_role(db, organization.tenant, second.user_id, "admin"),
            change_role(db, second, organization.user_id, "admin"),
            return_exceptions=True,
        )
        assert sum(result is None for result in results) == 1
        now = await roles(db, organization.tenant)
        assert list(now.values()).count("owner") == 1
        owner = next(user for user, role in now.items() if role == "owner")
        acting = organization.tenant if owner == organization.user_id else second
        lowered = next(user for user, role in now.items() if role == "admin")
        await change_role(db, acting, lowered, "owner")


async def test_the_constraint_alone_holds_against_plain_sql(look, organization, person):
    import psycopg

    with pytest.raises(psycopg.Error, match="at least one owner"):
        look("UPDATE tidings.organization_members SET role = 'viewer'")
    second = person(organization, "owner")
    look("DELETE FROM tidings.organization_members WHERE user_id = %s", second.user_id)
    look("DELETE FROM tidings.organizations")


async def test_setting_the_same_role_records_nothing(db, organization, person):
    member = person(organization, "member")
    await change_role(db, organization.tenant, member.user_id, "member")
    assert await list_entries(db, organization.tenant) == []


async def test_members_of_others_are_not_there(db, organization, other_organization):
    with pytest.raises(RowMissing):
        await change_role(db, organization.tenant, other_organization.user_id, "viewer")
    with pytest.raises(RowMissing):
        await remove_member(db, organization.tenant, other_organization.user_id)
    with pytest.raises(RowMissing):
        await remove_member(db, organization.tenant, uuid7())


@pytest.mark.parametrize(
    ("email", "role"), [("nobody", "member"), ("a b@c.d", "member"), ("a@b.c", "service")]
)
async def test_bad_fields_are_named(db, organization, email, role):
    with pytest.raises(InputInvalid) as caught:
        await add_member(db, organization.tenant, email, role)
    assert caught.value.errors[0].field in ("email", "role")
