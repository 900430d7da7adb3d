"""The states: the database itself lets only the moves of an approval happen."""

import itertools
from uuid import UUID

import psycopg
import pytest

from tidings.approvals.read import Status, get_approval
from tidings.base.errors import RoleForbidden, RowMissing, StateConflict
from tidings.base.ids import uuid7
from tidings.db.queries import Query

from factories.approvals import mail_house, make_approved, make_draft, set_policy, state_of

STATES = Status.__args__
MOVES = {
    ("pending", "approved"),
    ("pending", "rejected"),
    ("pending", "expired"),
    ("pending", "cancelled"),
    ("approved", "pending"),
    ("approved", "sending"),
    ("approved", "cancelled"),
    ("approved", "opened"),
    ("sending", "sent"),
    ("sending", "failed"),
    ("sending", "approved"),
    ("failed", "approved"),
    ("opened", "sent_manual"),
    ("opened", "cancelled"),
}

# What a row in each state needs beside its status.
DECIDED = "decided_by = 'person', reviewed_at = now()"
FILL = {
    "pending": "next_attempt_at = NULL",
    "approved": f"{DECIDED}, next_attempt_at = now(), lease_token = NULL, lease_until = NULL, "
    "outcome = NULL",
    "sending": "lease_token = gen_random_uuid(), lease_until = now(), next_attempt_at = NULL, "
    "idempotency_key = gen_random_uuid()",
    "sent": "sent_at = now(), lease_token = NULL, lease_until = NULL",
    "failed": "outcome = 'unknown', lease_token = NULL, lease_until = NULL",
    "rejected": DECIDED,
    "expired": "outcome = NULL",
    "cancelled": "outcome = 'person', next_attempt_at = NULL",
    "opened": "next_attempt_at = NULL",
    "sent_manual": "sent_at = now()",
}
PATHS = {
    "pending": [],
    "approved": ["approved"],
    "sending": ["approved", "sending"],
    "sent": ["approved", "sending", "sent"],
    "failed": ["approved", "sending", "failed"],
    "rejected": ["rejected"],
    "expired": ["expired"],
    "cancelled": ["approved", "cancelled"],
    "opened": ["approved", "opened"],
    "sent_manual": ["approved", "opened", "sent_manual"],
}


def move(connection: psycopg.Connection, approval_id: UUID, status: str) -> None:
    connection.execute(
        f"UPDATE tidings.approvals SET status = %s, {FILL[status]} WHERE id = %s",
        [status, approval_id],
    )


@pytest.fixture
def owner(owner_url):
    """The role that owns the tables: of all that write, the triggers alone hold it."""
    with psycopg.connect(owner_url) as connection:
        yield connection


def test_every_pair_of_states(owner, organization):
    allowed = set()
    for before, after in itertools.product(STATES, STATES):
        if before == after:
            continue
        with owner.transaction(force_rollback=True):
            approval_id = uuid7()
            owner.execute(
                "INSERT INTO tidings.approvals (organization_id, id, type, channel, recipient, "
                "content) VALUES (%s, %s, 'message', 'chat', 'bo', 'Hello')",
                [organization.organization_id, approval_id],
            )
            for step in PATHS[before]:
                move(owner, approval_id, step)
            try:
                with owner.transaction():
                    move(owner, approval_id, after)
                allowed.add((before, after))
            except psycopg.Error as error:
                assert error.sqlstate == "TD409", (before, after, error)  # noqa: PT017
    assert allowed == MOVES


PAST_THE_CLAIM = [
    (f"status = 'sending', {FILL['sending']}", RoleForbidden),
    ("attempts = 3", RoleForbidden),
    ("attempt_log = '[1]'", RoleForbidden),
    ("content = 'Something else'", StateConflict),
    ("recipient = 'eve@example.com'", StateConflict),
    ("approved_digest = sha256('x')", StateConflict),
]


async def test_nobody_sends_or_changes_what_was_approved_past_the_claim(db, organization):
    await make_approved(db, organization.tenant)
    for change, error in PAST_THE_CLAIM:
        query = Query("change", "Changes it.", f"UPDATE tidings.approvals SET {change}")
        for tenant in (organization.tenant, organization.tenant.as_service()):
            with pytest.raises(error):
                async with db.tenant_batch(tenant) as batch:
                    batch.queue(query)


async def test_nothing_begins_further_on(db, organization):
    insert = Query(
        "insert",
        "Inserts it.",
        "INSERT INTO tidings.approvals (organization_id, id, type, channel, recipient, content, "
        "status) VALUES (tidings.current_organization(), gen_random_uuid(), 'message', 'chat', "
        "'bo', 'Hello', %(status)s)",
    )
    for status in set(STATES) - {"pending", "approved"}:
        with pytest.raises(StateConflict):
            async with db.tenant_batch(organization.tenant.as_service()) as batch:
                batch.queue(insert, {"status": status})


async def test_content_tampered_with_below_the_triggers_is_not_sent(
    db, organization, superuser_url, settings
):
    await set_policy(db, organization.tenant)
    approval_id = await make_approved(db, organization.tenant)
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE tidings.approvals SET content = 'Buy now'")
    async with mail_house(db, settings) as (sender, server):
        sent = await sender.send(organization.tenant, approval_id)
        assert (sent.status, sent.why) == ("cancelled", "changed")
        assert server.mails == []
    assert (await state_of(db, organization.tenant, approval_id)).outcome == "changed"


async def test_a_draft_is_no_ones_but_its_organizations(db, organization, other_organization):
    approval_id = await make_draft(db, organization.tenant)
    for tenant in (other_organization.tenant, other_organization.tenant.as_service()):
        with pytest.raises(RowMissing):
            await get_approval(db, tenant, approval_id)
