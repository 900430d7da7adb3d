from datetime import timedelta

import psycopg
import pytest

from tidings.base.clock import now
from tidings.base.errors import CredentialInvalid, InputInvalid, RoleForbidden, RowMissing
from tidings.base.ids import uuid7
from tidings.db.queries import Query
from tidings.tenancy.access import Requests, key_credential
from tidings.tenancy.api_keys import issue_key, list_keys, revoke_key
from tidings.tenancy.audit import list_entries
from tidings.tenancy.members import change_role
from tidings.tenancy.rate_leases import RateLeases


async def use(db, key):
    return await Requests(db, RateLeases(6000)).open(key_credential(key))


async def test_a_key_is_shown_once_and_stored_hashed(db, organization, look):
    issued = await issue_key(db, organization.tenant, " CI ", scopes=["kv", "read", "kv"])
    assert issued.key.startswith("tk_")
    assert len(issued.key) == 46
    assert issued.key not in str(look("SELECT * FROM tidings.api_keys"))
    [key] = await list_keys(db, organization.tenant)
    assert (key.name, key.prefix, key.scopes) == ("CI", issued.key[:8], ["kv", "read"])
    assert issued.key not in str(look("SELECT payload FROM tidings.audit_log"))


async def test_a_key_acts_as_its_user_in_its_role(db, organization):
    issued = await issue_key(db, organization.tenant, "CI", role="viewer")
    access = await use(db, issued.key)
    assert access.tenant == organization.acting("viewer")
    assert access.kind == "key"
    assert access.key_id == issued.id


async def test_a_key_never_exceeds_its_maker(db, organization, person):
    member = person(organization, "member")
    for role in ("owner", "admin"):
        with pytest.raises(RoleForbidden):
            await issue_key(db, member, "CI", role=role)
    with pytest.raises(RoleForbidden):
        await issue_key(db, organization.acting("service"), "CI", role="viewer")


async def test_the_database_refuses_a_higher_key_by_itself(db, organization, person):
    member = person(organization, "member")
    insert = Query(
        "insert",
        "Inserts.",
        "INSERT INTO tidings.api_keys (organization_id, id, user_id, name, prefix, key_hash, role,"
        " scopes) VALUES (%(organization)s, %(id)s, %(user)s, 'x', 'tk_12345',"
        " sha256('x'), %(role)s, '{}')",
    )
    params = {"organization": member.organization_id, "id": uuid7(), "user": member.user_id}
    other = {**params, "user": organization.user_id}
    for bad in ({**params, "role": "admin"}, {**other, "role": "member"}):
        with pytest.raises(RoleForbidden):
            async with db.tenant_batch(member) as batch:
                batch.queue(insert, bad)
    async with db.tenant_batch(member) as batch:
        batch.queue(insert, {**params, "role": "member"})


async def test_a_demoted_member_takes_their_keys_along(db, organization, person):
    admin = person(organization, "admin")
    issued = await issue_key(db, admin, "CI")
    await change_role(db, organization.tenant, admin.user_id, "viewer")
    assert (await use(db, issued.key)).tenant.role == "viewer"


async def test_a_scoped_key_makes_no_wider_one(db, organization):
    held = ["admin", "kv"]
    for scopes in ([], ["read"], ["kv", "write"]):
        with pytest.raises(RoleForbidden):
            await issue_key(db, organization.tenant, "CI", scopes=scopes, held=held)
    await issue_key(db, organization.tenant, "CI", scopes=["kv"], held=held)


async def test_members_see_and_end_their_own_keys_and_admins_all(db, organization, person):
    member = person(organization, "member")
    theirs = await issue_key(db, member, "theirs")
    owners = await issue_key(db, organization.tenant, "owner's")
    assert [key.id for key in await list_keys(db, member)] == [theirs.id]
    assert [key.id for key in await list_keys(db, organization.tenant)] == [owners.id, theirs.id]
    assert [key.id for key in await list_keys(db, organization.tenant, after=owners.id)] == [
        theirs.id
    ]
    with pytest.raises(RowMissing):
        await revoke_key(db, member, owners.id)
    assert await use(db, owners.key)
    await revoke_key(db, organization.tenant, theirs.id, kind="key")
    with pytest.raises(CredentialInvalid):
        await use(db, theirs.key)
    await revoke_key(db, member, theirs.id)
    entries = await list_entries(db, organization.tenant, target=f"api_key:{theirs.id}")
    assert [(e.action, e.actor_kind) for e in entries] == [
        ("api_key.revoked", "key"),
        ("api_key.issued", "person"),
    ]


async def test_keys_of_others_are_not_there(db, organization, other_organization):
    issued = await issue_key(db, organization.tenant, "CI")
    assert await list_keys(db, other_organization.tenant) == []
    with pytest.raises(RowMissing):
        await revoke_key(db, other_organization.tenant, issued.id)


async def test_a_key_expires(db, organization, later):
    issued = await issue_key(db, organization.tenant, "CI", expires_at=now() + timedelta(hours=1))
    assert await use(db, issued.key)
    with pytest.raises(CredentialInvalid):
        await use(await later("61 minutes"), issued.key)


async def test_bad_fields_are_all_named(db, organization):
    with pytest.raises(InputInvalid) as caught:
        await issue_key(
            db,
            organization.tenant,
            " ",
            role="service",
            scopes=["everything"],
            expires_at=now() - timedelta(seconds=1),
        )
    assert [e.field for e in caught.value.errors] == ["name", "role", "scopes", "expires_at"]
    with pytest.raises(InputInvalid):
        await issue_key(db, organization.tenant, "a\x00b")


def test_a_plain_key_does_not_fit_where_its_hash_belongs(look, organization):
    with pytest.raises(psycopg.errors.CheckViolation):
        look(
            "INSERT INTO tidings.api_keys (organization_id, id, user_id, name, prefix, key_hash,"
            " role) VALUES (%s, %s, %s, 'x', 'tk_12345', 'plain', 'owner')",
            organization.organization_id,
            uuid7(),
            organization.user_id,
        )
