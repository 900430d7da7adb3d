"""What is a person's own goes with them: taken along whole, and forgotten whole."""

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tidings.base.errors import RoleForbidden, RowMissing
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.db.transaction import Database
from tidings.tenancy.own_data import erase_member, find_member, own_data
from tidings.wiring import OWN

from factories.channels import add_messages, make_channel
from factories.organizations import Organization, add_member

INSERTS = {
    "message_auto_responses": "INSERT INTO tidings.message_auto_responses (organization_id, id, "
    "user_id, name, rule_type, response_template) VALUES (%(o)s, %(n)s, %(u)s, 'Away', "
    "'rule_based', 'I am away.')",
    "message_auto_response_log": "INSERT INTO tidings.message_auto_response_log (organization_id, "
    "id, user_id, rule_id, rule_name, channel_id, message_id, sender_id, outcome, guard) VALUES "
    "(%(o)s, %(n)s, %(u)s, %(n)s, 'Away', %(c)s, %(m)s, 'ana', 'stopped', 'own')",
    "conversation_summaries": "INSERT INTO tidings.conversation_summaries (organization_id, id, "
    "type, user_id, summary_text, engine) VALUES (%(o)s, %(n)s, 'catch_up', %(u)s, 'x', 'local')",
    "summary_cache": "INSERT INTO tidings.summary_cache (organization_id, key, kind, summary_id, "
    "expires_at) VALUES (%(o)s, replace(%(u)s::text || %(u)s::text, '-', ''), 'summary', %(n)s, "
    "now() + interval '1 hour')",
    "brainstorm_sessions": "INSERT INTO tidings.brainstorm_sessions (organization_id, id, topic, "
    "framework, owner_id) VALUES (%(o)s, %(n)s, 'Trains', 'free_form', %(u)s)",
    "digest_schedules": "INSERT INTO tidings.digest_schedules (organization_id, user_id) "
    "VALUES (%(o)s, %(u)s)",
    "channel_members": "INSERT INTO tidings.channel_members (organization_id, channel_id, user_id) "
    "VALUES (%(o)s, %(c)s, %(u)s)",
    "message_hooks": "INSERT INTO tidings.message_hooks (organization_id, id, channel_id, user_id, "
    "token_hash) VALUES (%(o)s, %(n)s, %(c)s, %(u)s, %(u)s::text::bytea)",
    "meeting_hooks": "INSERT INTO tidings.meeting_hooks (organization_id, id, user_id, token_hash) "
    "VALUES (%(o)s, %(n)s, %(u)s, %(u)s::text::bytea)",
    "audit_log": "INSERT INTO tidings.audit_log (organization_id, actor_user_id, actor_kind, "
    "action, target, payload) VALUES (%(o)s, %(u)s, 'person', 'member.added', 'user:' || "
    "%(u)s::text, %(p)s)",
}


async def own_things(db: Database, owner: Tenant, person: Tenant, url: str) -> None:
    """A row of the person's in every table that holds some."""
    channel_id = await make_channel(db, owner)
    (message_id,) = await add_messages(db, owner, channel_id, [("Ana", "Hello")])
    given = {
        "o": person.organization_id,
        "u": person.user_id,
        "n": uuid7(),
        "c": channel_id,
        "m": message_id,
        "p": Jsonb({"name": "Ana"}),
    }
    with psycopg.connect(url) as connection:
        for statement in INSERTS.values():
            connection.execute(statement, given)


def left(url: str, person: Tenant) -> dict[str, int]:
    """How many rows of each table still name the person, or hold what was theirs."""
    with psycopg.connect(url) as connection:
        found = {}
        for name in (*INSERTS, "users", "organization_members"):
            row = connection.execute(
                f"SELECT count(*) FROM tidings.{name} AS t WHERE to_jsonb(t) - 'id' - "
                "'actor_user_id' - 'target' - 'salt' - 'payload_hash' @> '{}' AND "
                "position(%s in to_jsonb(t)::text) > 0",
                [str(person.user_id)],
            ).fetchone()
            assert row is not None
            found[name] = row[0]
    return found


async def test_a_person_takes_along_what_is_theirs_alone(
    db: Database, organization: Organization, superuser_url: str
) -> None:
    owner = organization.tenant
    person = await add_member(superuser_url, organization, "member")
    await own_things(db, owner, person, superuser_url)
    before = db.trips.total
    kinds = [one.kind async for one in own_data(db, person, OWN)]
    assert kinds == [
        "person", "channel", "rule", "automatic_reply", "digest_schedule", "summary", "brainstorm"
    ]  # fmt: skip
    assert db.trips.total - before == 1
    # An administrator is nobody to another's rules and digests.
    theirs = {one.kind async for one in own_data(db, owner, OWN)}
    assert theirs == {"person", "channel"}


async def test_what_is_more_than_a_page_comes_whole_and_once(
    db: Database, organization: Organization
) -> None:
    made = {await make_channel(db, organization.tenant, name=f"Channel {n}") for n in range(3)}
    for size in (1, 2, 3):
        rows = [one async for one in own_data(db, organization.tenant, OWN, batch=size)]
        found = [one.row["channel_id"] for one in rows if one.kind == "channel"]
        assert found == sorted(map(str, made))
        assert [one.kind for one in rows].count("person") == 1


def test_each_kind_is_named_once() -> None:
    assert len({own.kind for own in OWN}) == len(OWN)


async def test_a_member_is_forgotten_whole(
    db: Database, organization: Organization, superuser_url: str
) -> None:
    owner = organization.tenant
    person = await add_member(superuser_url, organization, "member")
    other = await add_member(superuser_url, organization, "member")
    await own_things(db, owner, person, superuser_url)
    await own_things(db, owner, other, superuser_url)
    before = left(superuser_url, other)
    with pytest.raises(RoleForbidden):
        await erase_member(db, other, person.user_id)
    assert await erase_member(db, owner, person.user_id) is True
    # The log still says that somebody of that id came and was forgotten, and nothing else.
    assert {k: n for k, n in left(superuser_url, person).items() if n} == {"audit_log": 2}
    with psycopg.connect(superuser_url) as connection:
        payloads = connection.execute(
            "SELECT payload FROM tidings.audit_log WHERE target = %s", [f"user:{person.user_id}"]
        ).fetchall()
    assert [payload for (payload,) in payloads if payload] == []
    assert left(superuser_url, other) == before
    with pytest.raises(RowMissing):
        await erase_member(db, owner, person.user_id)


async def test_who_belongs_elsewhere_stays_known_there(
    db: Database,
    organization: Organization,
    other_organization: Organization,
    superuser_url: str,
) -> None:
    person = await add_member(superuser_url, organization, "member")
    with psycopg.connect(superuser_url) as connection:
        connection.execute(
            "INSERT INTO tidings.organization_members (organization_id, user_id, role) "
            "VALUES (%s, %s, 'member')",
            [other_organization.organization_id, person.user_id],
        )
        (email,) = connection.execute(
            "SELECT email FROM tidings.users WHERE id = %s", [person.user_id]
        ).fetchone()
    assert await find_member(db, organization.tenant, email.upper()) == person
    assert await erase_member(db, organization.tenant, person.user_id) is False
    with pytest.raises(RowMissing):
        await find_member(db, organization.tenant, email)
    assert (await find_member(db, other_organization.tenant, email)).user_id == person.user_id


def test_nothing_keeps_a_person_from_being_forgotten(superuser_url: str, db: Database) -> None:
    """Each foreign key to a person or a membership says what becomes of its rows."""
    with psycopg.connect(superuser_url) as connection:
        blocking = connection.execute(
            "SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND confrelid "
            "IN ('tidings.users'::regclass, 'tidings.organization_members'::regclass) "
            "AND confdeltype NOT IN ('c', 'n')"
        ).fetchall()
    assert blocking == []
