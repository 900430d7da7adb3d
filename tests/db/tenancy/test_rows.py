"""What the roles reach in the tables of tenancy."""

import psycopg
import pytest

from tidings.base.errors import RoleForbidden
from tidings.db.queries import Query
from tidings.tenancy.api_keys import issue_key
from tidings.tenancy.audit import record
from tidings.tenancy.secret_keys import SecretKeys
from tidings.tenancy.secrets import set_secret
from tidings.tenancy.sign_in import Client, issue_link, sign_in_by_link

CLOSED = ("user_passwords", "sign_in_links", "sign_in_failures", "request_counts")
OPEN = {
    "organizations": "id",
    "users": "id",
    "organization_members": "user_id",
    "api_keys": "id",
    "sessions": "id",
    "audit_log": "id",
    "audit_seals": "sequence",
    "idempotency_keys": "key",
    "organization_secrets": "name",
}


@pytest.fixture
async def filled(db, settings, organization, look):
    [(email,)] = look("SELECT email FROM tidings.users")
    await issue_key(db, organization.tenant, "CI")
    await sign_in_by_link(db, settings, await issue_link(db, email), Client())
    await set_secret(db, SecretKeys([bytes(32)]), organization.tenant, "a_secret", "x")
    look(
        "INSERT INTO tidings.idempotency_keys (organization_id, user_id, key, request_hash, claim,"
        " claimed_at, expires_at) VALUES (%s, %s, 'k', sha256('x'), tidings.uuid7(), now(), now())",
        organization.organization_id,
        organization.user_id,
    )
    look("SELECT tidings.seal_audit_v1(1)")


async def count(db, tenant, table):
    query = Query("count", "Counts.", f"SELECT {OPEN[table]} FROM tidings.{table}")
    async with db.tenant_batch(tenant) as batch:
        rows = batch.add(query)
    return len(rows.rows)


@pytest.mark.parametrize("table", OPEN)
async def test_another_organization_sees_nothing(
    db, filled, organization, other_organization, table
):
    assert await count(db, organization.tenant, table) >= 1
    own = {"organizations", "users", "organization_members"}
    assert await count(db, other_organization.tenant, table) == (1 if table in own else 0)


@pytest.mark.parametrize("table", CLOSED)
@pytest.mark.parametrize("statement", ["SELECT * FROM", "DELETE FROM"])
async def test_the_service_cannot_reach_what_functions_alone_may(
    db, organization, table, statement
):
    with pytest.raises(RoleForbidden):
        async with db.tenant_batch(organization.tenant) as batch:
            batch.add(Query("peek", "Peeks.", f"{statement} tidings.{table}"))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO tidings.organizations (id, name) VALUES (tidings.uuid7(), 'x')",
        "DELETE FROM tidings.organizations",
        "UPDATE tidings.organizations SET slug = 'x'",
        "INSERT INTO tidings.users (id, email) VALUES (tidings.uuid7(), 'a@b.c')",
        "UPDATE tidings.users SET email = 'a@b.c'",
        "UPDATE tidings.users SET disabled_at = NULL",
        "UPDATE tidings.organization_members SET role = 'owner'",
        "DELETE FROM tidings.organization_members",
        "UPDATE tidings.api_keys SET role = 'owner'",
        "SELECT key_hash FROM tidings.api_keys",
        "DELETE FROM tidings.api_keys",
        "UPDATE tidings.sessions SET user_id = tidings.acting_user()",
        "SELECT sealed FROM tidings.organization_secrets",
        "UPDATE tidings.organization_secrets SET hint = ''",
        "INSERT INTO tidings.audit_seals VALUES (tidings.current_organization())",
        "UPDATE tidings.idempotency_keys SET claim = tidings.uuid7()",
        "SELECT tidings.take_requests_v1(tidings.uuid7(), 1, 1)",
        "SELECT tidings.claim_idempotent_v1(tidings.uuid7(), tidings.uuid7(), 'k', '', NULL)",
        "SELECT tidings.count_attempt_v1('', 1)",
        "SELECT tidings.lock_members_v1()",
        "SELECT tidings.start_session_v1(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    ],
)
async def test_the_service_has_no_way_around_the_functions(db, filled, organization, statement):
    with pytest.raises(RoleForbidden):
        async with db.tenant_batch(organization.tenant) as batch:
            batch.add(Query("change", "Changes.", statement))


async def test_a_person_renames_themself_alone(db, organization, person, look):
    member = person(organization, "member")
    async with db.tenant_batch(member) as batch:
        batch.queue(Query("rename", "Renames.", "UPDATE tidings.users SET name = 'Me'"))
    assert look("SELECT id FROM tidings.users WHERE name = 'Me'") == [(member.user_id,)]


async def test_no_tenant_sees_no_rows(database_url, filled):
    with psycopg.connect(database_url) as connection:
        for table, column in OPEN.items():
            with pytest.raises(psycopg.Error, match="No organization"), connection.transaction():
                connection.execute(f"SELECT {column} FROM tidings.{table}").fetchall()


async def test_the_audit_log_takes_no_entry_for_another(db, organization, other_organization, look):
    async with db.tenant_batch(other_organization.tenant) as batch:
        record(batch, "thing.done", "thing:1")
    rows = look("SELECT organization_id, actor_user_id FROM tidings.audit_log")
    assert rows == [(other_organization.organization_id, other_organization.user_id)]
