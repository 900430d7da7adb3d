"""What the tables hold by themselves, without any code before them."""

import asyncio
from datetime import timedelta

import msgspec
import psycopg
import pytest
import pytest_asyncio

from tidings.base import clock
from tidings.base.errors import RoleForbidden, RowMissing, StateConflict, TidingsError
from tidings.base.ids import uuid7
from tidings.db.queries import Query, load_queries
from tidings.replies.consider import Args
from tidings.replies.rule import Conditions, RuleDraft
from tidings.replies.rules import (
    create_rule,
    delete_rule,
    get_rule,
    list_rules,
    reorder_rules,
    replace_rule,
    switch_rule,
)
from tidings.replies.sweep import sweep_replies

from factories.channels import add_messages, make_channel
from factories.organizations import add_member

sql = load_queries("tidings.replies")

SEEN = Query(
    "seen",
    "Counts what is seen.",
    "SELECT (SELECT count(*) FROM tidings.message_auto_responses) AS rules, "
    "(SELECT count(*) FROM tidings.message_auto_response_log) AS log, "
    "(SELECT count(*) FROM tidings.auto_response_positions) AS positions",
)
CHANGE = Query("change", "Changes.", "UPDATE tidings.message_auto_responses SET name = 'mine'")
DELETE = Query("delete", "Deletes.", "DELETE FROM tidings.message_auto_responses")
REWRITE = Query("rewrite", "Rewrites.", "UPDATE tidings.message_auto_response_log SET guard = NULL")
COUNT = Query("count", "Cheats.", "UPDATE tidings.message_auto_responses SET times_triggered = 9")
FORGE = Query(
    "forge",
    "Forges a row of the log.",
    "INSERT INTO tidings.message_auto_response_log (organization_id, id, user_id, rule_id, "
    "rule_name, channel_id, message_id, sender_id, outcome) SELECT organization_id, "
    "gen_random_uuid(), tidings.acting_user(), rule_id, 'x', channel_id, message_id, 'x', "
    "'proposed' FROM tidings.message_auto_response_log",
)
GIVE = Query(
    "give",
    "Makes a rule for somebody else.",
    "INSERT INTO tidings.message_auto_responses (organization_id, id, user_id, name, rule_type) "
    "VALUES (tidings.current_organization(), gen_random_uuid(), %(user_id)s, 'x', 'smart_reply')",
)


async def seen(db, tenant):
    async with db.tenant_transaction(tenant) as transaction:
        (row,) = await transaction.fetch(SEEN)
    return row["rules"], row["log"], row["positions"]


async def refused(db, tenant, query, params=None):
    with pytest.raises(TidingsError):
        async with db.tenant_transaction(tenant) as transaction:
            transaction.queue(query, params)


async def test_rules_and_their_log_are_their_owners_alone(desk, organization, superuser_url):
    rule = await desk.rule()
    await desk.say(("bo", "Hello"))
    await desk.consider()
    assert await seen(desk.db, desk.tenant) == (1, 1, 0)
    assert await seen(desk.db, desk.tenant.as_service()) == (1, 1, 1)
    admin = await add_member(superuser_url, organization, "admin")
    assert await seen(desk.db, admin) == (0, 0, 0)
    for query in (CHANGE, DELETE):
        async with desk.db.tenant_transaction(admin) as transaction:
            assert await transaction.execute(query) == 0
    for tenant, query, params in (
        (desk.tenant, REWRITE, None),
        (desk.tenant, COUNT, None),
        (desk.tenant, FORGE, None),
        (admin, GIVE, {"user_id": desk.tenant.user_id}),
    ):
        await refused(desk.db, tenant, query, params)
    assert (await get_rule(desk.db, desk.tenant, rule.id)).times_triggered == 1
    for call in (
        get_rule(desk.db, admin, rule.id),
        replace_rule(desk.db, admin, rule.id, RuleDraft(name="x", response_template="x"), None),
        switch_rule(desk.db, admin, rule.id, enabled=False),
        delete_rule(desk.db, admin, rule.id, None),
    ):
        with pytest.raises(RowMissing):
            await call
    with pytest.raises(psycopg.DatabaseError, match="never changed"):
        await desk.look("UPDATE tidings.message_auto_response_log SET sender_id = 'x'")


async def test_a_viewer_changes_nothing(desk, organization):
    viewer = organization.acting("viewer")
    rule = await desk.rule()
    draft = RuleDraft(name="x", response_template="x")
    for call in (
        replace_rule(desk.db, viewer, rule.id, draft, None),
        switch_rule(desk.db, viewer, rule.id, enabled=False),
        delete_rule(desk.db, viewer, rule.id, None),
        reorder_rules(desk.db, viewer, [rule.id]),
    ):
        with pytest.raises(RoleForbidden):
            await call
    with pytest.raises(RoleForbidden):
        async with desk.db.tenant_transaction(viewer) as transaction:
            await create_rule(transaction, draft)
    assert [each.id for each in await list_rules(desk.db, viewer)] == [rule.id]


@pytest.mark.parametrize(
    "change",
    [
        """trigger_conditions = '{"timeRange": {"start": "09:00", "end": "09:00"}}'""",
        """trigger_conditions = '{"timeRange": {"start": "9:00", "end": "10:00"}}'""",
        """trigger_conditions = '{"timeRange": {"start": "09:00"}}'""",
        """trigger_conditions = '{"timeRange": "always"}'""",
        "trigger_conditions = '[]'",
        "rule_type = 'smart_reply', action = 'send'",
        "response_template = ''",
        "away_until = '2026-01-01'",
        "rule_type = 'out_of_office', away_from = '2026-01-02', away_until = '2026-01-01'",
        "cooldown = 0",
    ],
)
async def test_constraints(tables, change):
    with pytest.raises(psycopg.errors.CheckViolation):
        await tables.execute(f"UPDATE tidings.message_auto_responses SET {change}".encode())


@pytest_asyncio.fixture(scope="module")
async def tables(cluster):
    """One database with one rule, for constraints that are tried one after another."""
    name = cluster.clone()
    connection = await psycopg.AsyncConnection.connect(
        cluster.url("postgres", name), autocommit=True
    )
    await connection.execute(
        "WITH o AS (INSERT INTO tidings.organizations (id, name) VALUES (gen_random_uuid(), 'x') "
        "RETURNING id), u AS (INSERT INTO tidings.users (id, email, name) "
        "VALUES (gen_random_uuid(), 'x@example.com', 'x') RETURNING id), "
        "m AS (INSERT INTO tidings.organization_members (organization_id, user_id, role) "
        "SELECT o.id, u.id, 'owner' FROM o, u RETURNING organization_id, user_id) "
        "INSERT INTO tidings.message_auto_responses (organization_id, id, user_id, name, "
        "rule_type, response_template) SELECT organization_id, gen_random_uuid(), user_id, 'x', "
        "'rule_based', 'x' FROM m"
    )
    yield connection
    await connection.close()
    cluster.drop(name)


async def test_rate_and_cooldown_are_exact_among_workers_that_claim_at_once(desk, settings):
    """Six channels of one person, four messages each, one of them of the same sender everywhere."""
    rule = await desk.rule()
    channels = []
    for n in range(6):
        channel_id = desk.channel_id if n == 0 else await make_channel(desk.db, desk.tenant)
        said = [("same", "Hello"), *[(f"sender{n}.{m}", "Hello") for m in range(3)]]
        ids = await add_messages(desk.db, desk.tenant, channel_id, said, start=clock.now())
        channels.append((channel_id, list(zip(ids, [who for who, _ in said], strict=True))))
    service = desk.tenant.as_service()

    async def claim(channel_id, messages):
        claims = [
            {
                "user_id": rule.user_id,
                "rule_id": rule.id,
                "message_id": message_id,
                "sender_id": sender,
                "sender_email": None,
                "cooldown": 3600,
                "proposes": False,
            }
            for message_id, sender in messages
        ]
        params = {
            "channel_id": channel_id,
            "from": 0,
            "to": 4,
            "claims": msgspec.json.encode(claims).decode(),
        }
        senders = dict(messages)
        async with desk.db.tenant_transaction(service) as transaction:
            found = await transaction.fetch(sql.claim, params)
            rows = [
                {
                    "id": uuid7(),
                    "user_id": rule.user_id,
                    "rule_id": rule.id,
                    "rule_name": "x",
                    "channel_id": channel_id,
                    "message_id": row["message_id"],
                    "sender_id": senders[row["message_id"]],
                    "outcome": "stopped" if row["guard"] else "drafted",
                    "guard": row["guard"],
                    "response_text": "x",
                    "proposals": [],
                    "matched": [],
                    "ai_customized": False,
                    "approval_id": None if row["guard"] else uuid7(),
                    "created_at": row["claimed_at"],
                }
                for row in found
            ]
            transaction.queue(sql.insert_log, {"rows": msgspec.json.encode(rows).decode()})

    await asyncio.gather(*(claim(*each) for each in channels))
    counts = await desk.look(
        "SELECT count(*) FILTER (WHERE guard IS NULL), count(*) FILTER (WHERE guard IS NULL "
        "AND sender_id = 'same'), count(*) FROM tidings.message_auto_response_log"
    )
    assert counts == [(10, 1, 24)]
    ((times,),) = await desk.look("SELECT times_triggered FROM tidings.message_auto_responses")
    assert times == 10
    with pytest.raises(StateConflict):  # the channel was moved on already
        await claim(*channels[0])


async def test_the_log_forgets_by_age(desk):
    await desk.rule()
    await desk.say(("bo", "Hello"), ("ana", "Hello"))
    await desk.consider()
    assert await sweep_replies(desk.db) == 0
    await desk.look("ALTER TABLE tidings.message_auto_response_log DISABLE TRIGGER USER")
    await desk.look(
        "UPDATE tidings.message_auto_response_log SET created_at = created_at - %s",
        [timedelta(days=401)],
    )
    assert await sweep_replies(desk.db, batch=1) == 2
    assert await desk.log() == []


async def test_who_leaves_takes_their_rules_along(desk, organization, superuser_url):
    colleague = await add_member(superuser_url, organization, "member")
    await desk.rule(colleague)
    await desk.look(
        "DELETE FROM tidings.organization_members WHERE user_id = %s", [colleague.user_id]
    )
    assert await desk.look("SELECT count(*) FROM tidings.message_auto_responses") == [(0,)]


async def test_round_trips(desk):
    """One to read, one for the guards, the claim, the commit; nothing to say costs two."""
    await desk.rule(trigger_conditions=Conditions(keywords=["hello"]))
    await desk.say(*[(f"sender{n}", "Hello") for n in range(9)])
    context = await desk.job(9)
    before = desk.db.trips.total
    await desk.considerer.run(context, Args(desk.channel_id, 9))
    assert desk.db.trips.total - before == 4
    await desk.say(("bo", "Nothing"))
    context = await desk.job(10)
    before = desk.db.trips.total
    await desk.considerer.run(context, Args(desk.channel_id, 10))
    assert desk.db.trips.total - before <= 3
