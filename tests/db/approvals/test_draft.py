"""Drafts: how they begin, who may begin them so, and who sees them."""

import msgspec
import pytest

from tidings.approvals.draft import NewApproval, draft
from tidings.base.errors import InputInvalid, RoleForbidden
from tidings.db.queries import Query
from tidings.db.transaction import Batch

from factories.channels import add_messages, make_channel
from factories.organizations import add_member

MAIL = NewApproval(type="email", channel="email", to="Bo@Example.com", content="Hello Bo.")
SEEN = Query("seen", "Lists approvals.", "SELECT * FROM tidings.approvals ORDER BY id")
JOBS = Query("jobs", "Counts.", "SELECT count(*) FROM tidings.jobs WHERE kind = 'approvals.send'")


async def begin(db, tenant, new):
    async with db.tenant_transaction(tenant) as transaction:
        draft(transaction, new)
    async with db.tenant_batch(tenant) as batch:
        rows = batch.add(SEEN)
    return rows.rows[-1]


async def set_policy(db, organization, changes):
    async with db.tenant_batch(organization.tenant) as batch:
        batch.queue(Query("policy", "Changes.", f"UPDATE tidings.send_policies SET {changes}"))


async def test_a_draft_waits_for_a_person(db, organization):
    row = await begin(db, organization.tenant, MAIL)
    assert (row["status"], row["contact"], row["decided_by"]) == ("pending", "bo@example.com", None)
    assert row["approved_digest"] is None
    assert row["created_by"] == organization.user_id


async def test_a_rule_approves_as_a_service_alone(db, organization):
    by_rule = msgspec.structs.replace(MAIL, approved_by_rule=True)
    row = await begin(db, organization.tenant.as_service(), by_rule)
    assert (row["status"], row["decided_by"]) == ("approved", "rule")
    assert row["approved_digest"] == row["digest"]
    async with db.tenant_batch(organization.tenant) as batch:
        jobs = batch.add(JOBS)
    assert jobs.value() == 1
    with pytest.raises(RoleForbidden):
        await begin(db, organization.tenant, by_rule)
    await set_policy(db, organization, "automation = 'manual'")
    row = await begin(db, organization.tenant.as_service(), by_rule)
    assert row["status"] == "pending"


LEVELS = [
    ("automation = 'full'", None, "approved"),
    ("automation = 'assisted'", 99, "pending"),
    ("automation = 'guarded'", 99, "pending"),
    ("guard = '{\"least_score\": 80}'", 80, "approved"),
    ("guard = '{\"least_score\": 80}'", 79, "pending"),
    ("guard = '{\"least_score\": 80}'", None, "pending"),
    ('guard = \'{"channels": ["sms"]}\'', 99, "pending"),
    ('guard = \'{"channels": ["email"], "replies_only": true}\'', 99, "pending"),
    ("approval_required = false", None, "approved"),
]


async def test_the_automation_level_decides_on_what_machines_draft(db, organization):
    for policy, score, status in LEVELS:
        await set_policy(db, organization, policy)
        scored = msgspec.structs.replace(MAIL, ai_score=score)
        row = await begin(db, organization.tenant.as_service(), scored)
        assert row["status"] == status, policy


async def test_a_person_drafts_what_a_person_approves_whatever_the_level(db, organization):
    await set_policy(db, organization, "automation = 'full'")
    assert (await begin(db, organization.tenant, MAIL))["status"] == "pending"


async def test_an_answer_in_a_channel_is_seen_by_its_members(db, organization, superuser_url):
    channel_id = await make_channel(db, organization.tenant)
    (message_id,) = await add_messages(db, organization.tenant, channel_id, [("bo", "Hi?")])
    reply = NewApproval(
        type="message", channel="chat", to="bo", content="Yes.", message_id=message_id
    )
    row = await begin(db, organization.tenant.as_service(), reply)
    assert row["channel_id"] == channel_id
    colleague = await add_member(superuser_url, organization, "member")
    async with db.tenant_batch(colleague) as batch:
        seen = batch.add(SEEN)
    assert seen.rows == []


@pytest.mark.parametrize(
    "change",
    [
        {"to": "bo@example.com, eve@example.com"},
        {"to": "bo@example.com\nBcc: eve@example.com"},
        {"to": "Bo"},
        {"to": "  "},
        {"channel": "sms"},
        {"content": " "},
        {"content": "\x00"},
        {"subject": "Hello\r\nBcc: eve@example.com"},
        {"type": "letter"},
        {"ai_score": 101},
        {"evidence": ["\x00"]},
        {"reason": "x" * 2001},
    ],
)
def test_what_could_never_be_sent_is_no_draft(change):
    with pytest.raises(InputInvalid):
        draft(Batch(), msgspec.structs.replace(MAIL, **change))
