import asyncio

import psycopg
import pytest

from tidings.base.errors import RoleForbidden
from tidings.db.queries import Query
from tidings.tenancy.audit import (
    erase_payloads,
    list_entries,
    record,
    seal_entries,
    verify_chain,
    verify_own_chain,
)


async def write(db, tenant, count=1, target="thing:1"):
    async with db.tenant_batch(tenant) as batch:
        for n in range(count):
            record(batch, "thing.changed", target, {"n": n, "b": 1, "aa": {"z": "é"}})


async def intact(db, organization):
    return (await verify_chain(db, organization.organization_id)).intact


async def test_an_entry_commits_with_its_transaction_or_not_at_all(db, organization):

    async def fail_after_recording():
        async with db.tenant_transaction(organization.tenant) as transaction:
            record(transaction, "thing.changed", "thing:1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail_after_recording()
    assert await list_entries(db, organization.tenant) == []
    async with db.tenant_transaction(organization.tenant) as transaction:
        record(transaction, "thing.changed", "thing:1", kind="key")
    [entry] = await list_entries(db, organization.tenant)
    assert (entry.actor_kind, entry.payload, entry.seal) == ("key", {}, None)


async def test_a_service_is_recorded_as_one(db, organization):
    await write(db, organization.acting("service"))
    [entry] = await list_entries(db, organization.tenant)
    assert (entry.actor_kind, entry.actor_user_id) == ("service", organization.user_id)


async def test_everyone_appends_and_admins_alone_read(db, organization, person):
    viewer = person(organization, "viewer")
    await write(db, viewer)
    assert await list_entries(db, viewer) == []
    assert len(await list_entries(db, person(organization, "admin"))) == 1


async def test_entries_page_newest_first_and_filter_by_target(db, organization):
    await write(db, organization.tenant, 3)
    await write(db, organization.tenant, 1, "thing:2")
    entries = await list_entries(db, organization.tenant, limit=2)
    rest = await list_entries(db, organization.tenant, before=entries[-1].id)
    assert len({e.id for e in entries + rest}) == 4
    assert len(await list_entries(db, organization.tenant, target="thing:2")) == 1


APPEND = (
    "INSERT INTO tidings.audit_log (organization_id, {column}, actor_kind, action, target)"
    " VALUES (tidings.current_organization(), tidings.uuid7(), 'person', 'a.b', 'c')"
)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tidings.audit_log SET action = 'thing.denied'",
        "UPDATE tidings.audit_log SET payload = NULL, salt = NULL",
        "DELETE FROM tidings.audit_log",
        APPEND.format(column="id"),
        APPEND.format(column="actor_user_id"),
    ],
)
async def test_the_service_only_appends_and_only_as_itself(db, organization, statement):
    await write(db, organization.tenant)
    with pytest.raises(RoleForbidden):
        async with db.tenant_batch(organization.tenant) as batch:
            batch.queue(Query("change", "Changes.", statement))


@pytest.mark.parametrize(
    "statement",
    ["UPDATE tidings.audit_log SET payload = NULL, salt = NULL", "DELETE FROM tidings.audit_log"],
)
async def test_not_even_a_superuser_changes_an_entry_by_mistake(db, organization, look, statement):
    await write(db, organization.tenant)
    with pytest.raises(psycopg.Error, match="append-only"):
        look(statement)


async def test_an_organization_takes_its_log_along(db, organization, look):
    await write(db, organization.tenant)
    await seal_entries(db)
    look("DELETE FROM tidings.organizations")
    assert look("SELECT count(*) FROM tidings.audit_log") == [(0,)]


async def test_the_system_role_may_only_seal_and_erase(db, organization, superuser_url):
    await write(db, organization.tenant)
    with psycopg.connect(superuser_url) as connection:
        connection.execute("SET ROLE tidings_system")
        with pytest.raises(psycopg.Error, match="append-only"):
            connection.execute("UPDATE tidings.audit_log SET seal = 1, action = 'thing.denied'")


async def test_batches_chain_per_organization(db, organization, other_organization):
    await write(db, organization.tenant, 5)
    await write(db, other_organization.tenant, 2)
    assert await seal_entries(db, 3) == 3
    assert await seal_entries(db) == 4
    assert await seal_entries(db) == 0
    await write(db, organization.tenant)
    report = await verify_chain(db, organization.organization_id)
    assert (report.intact, report.seals, report.entries, report.unsealed) == (True, 2, 5, 1)
    other = await verify_chain(db, other_organization.organization_id)
    assert (other.intact, other.seals, other.entries) == (True, 1, 2)
    assert other.head != report.head


async def test_a_lower_id_that_commits_later_comes_in_a_later_seal(db, organization):
    async with db.tenant_transaction(organization.tenant) as slow:
        await slow.execute(
            Query(
                "insert",
                "Inserts.",
                "INSERT INTO tidings.audit_log (organization_id, actor_user_id, actor_kind,"
                " action, target) VALUES (tidings.current_organization(), tidings.acting_user(),"
                " 'person', 'slow.one', 'x')",
            )
        )
        await write(db, organization.tenant)
        assert await seal_entries(db) == 1
    assert await seal_entries(db) == 1
    entries = await list_entries(db, organization.tenant)
    assert [(e.action, e.seal) for e in entries] == [("thing.changed", 1), ("slow.one", 2)]
    assert await intact(db, organization)


async def test_two_sealers_at_once_make_one_chain(db, organization, other_organization):
    for _ in range(3):
        await write(db, organization.tenant, 20)
        await write(db, other_organization.tenant, 20)
        await asyncio.gather(*(seal_entries(db, 15) for _ in range(4)))
    while await seal_entries(db):
        pass
    for one in (organization, other_organization):
        report = await verify_chain(db, one.organization_id)
        assert (report.intact, report.entries, report.unsealed) == (True, 60, 0)


@pytest.mark.parametrize(
    ("tampering", "problem"),
    [
        ("UPDATE tidings.audit_log SET target = 'thing:9' WHERE seal = 1", "an entry was changed"),
        ("UPDATE tidings.audit_log SET at = at - interval '1 s' WHERE seal = 1", "an entry was"),
        ("UPDATE tidings.audit_log SET payload = '{\"n\": 7}' WHERE seal = 1", "a payload was"),
        ("UPDATE tidings.audit_log SET seal = 1 WHERE seal = 2", "entries are missing or added"),
        ("DELETE FROM tidings.audit_log WHERE seal = 2", "entries are missing or added"),
        ("DELETE FROM tidings.audit_seals WHERE sequence = 1", "a seal is missing"),
        ("DELETE FROM tidings.audit_seals WHERE sequence = 3", "a seal is missing"),
        ("UPDATE tidings.audit_seals SET hash = sha256('x') WHERE sequence = 1", "an entry was"),
        (
            "UPDATE tidings.audit_seals SET previous_hash = sha256('x') WHERE sequence = 2",
            "it does not continue",
        ),
    ],
)
async def test_tampering_is_noticed(db, organization, look, tampering, problem):
    for _ in range(3):
        await write(db, organization.tenant, 2)
        await seal_entries(db)
    assert await intact(db, organization)
    look("ALTER TABLE tidings.audit_log DISABLE TRIGGER keep_audit_row")
    look(tampering)
    report = await verify_chain(db, organization.organization_id)
    assert not report.intact
    assert report.problem.startswith(problem)
    assert report.broken_at in (1, 2, 3)


async def test_an_erased_payload_leaves_the_chain_whole(db, organization, look):
    await write(db, organization.tenant, 2)
    await write(db, organization.tenant, 1, "thing:2")
    await seal_entries(db)
    before = await verify_chain(db, organization.organization_id)
    assert await erase_payloads(db, organization.tenant, "thing:1") == 2
    assert await erase_payloads(db, organization.tenant, "thing:1") == 1  # its own record
    after = await verify_chain(db, organization.organization_id)
    assert (after.intact, after.head) == (True, before.head)
    assert "\u00e9" not in str(look("SELECT * FROM tidings.audit_log WHERE target = 'thing:1'"))
    assert look("SELECT payload IS NULL FROM tidings.audit_log WHERE target = 'thing:2'") == [
        (False,)
    ]


async def test_admins_alone_erase_and_verify_and_only_their_own(
    db, organization, other_organization, person
):
    await write(db, organization.tenant)
    member = person(organization, "member")
    with pytest.raises(RoleForbidden):
        await erase_payloads(db, member, "thing:1")
    with pytest.raises(RoleForbidden):
        await verify_own_chain(db, member)
    assert (await verify_own_chain(db, organization.tenant)).intact
    assert await erase_payloads(db, other_organization.tenant, "thing:1") == 0
    verify_other = Query("verify", "Verifies.", "SELECT tidings.verify_audit_v1(%(id)s)")
    with pytest.raises(RoleForbidden):
        async with db.tenant_batch(other_organization.tenant) as batch:
            batch.add(verify_other, {"id": organization.organization_id})


async def test_the_writer_chooses_neither_time_nor_hash(db, organization, look):
    await write(db, organization.tenant, 2)
    rows = look(
        "SELECT salt, payload_hash,"
        " payload_hash = sha256(salt || convert_to(payload::text, 'UTF8'))"
        " FROM tidings.audit_log"
    )
    assert [row[2] for row in rows] == [True, True]
    assert rows[0][0] != rows[1][0]
