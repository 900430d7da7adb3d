"""A sent reply is a message of its channel: in its thread, once, and answered by nobody's rule."""

from uuid import uuid4

import pytest
import pytest_asyncio

from tidings.approvals.decisions import mark_sent, open_by_hand
from tidings.approvals.write_back import write_back
from tidings.connectors.outgoing import Outcome
from tidings.db.queries import Query
from tidings.messages.channels import ChannelChange, update_channel
from tidings.messages.ingest import ingest
from tidings.messages.item import MessageItem, Sender

from factories.approvals import mail_house, make_approved, make_sender, set_policy, state_of
from factories.channels import NOON, make_channel

MESSAGES = Query(
    "messages",
    "Lists messages.",
    "SELECT m.*, t.messages_count FROM tidings.messages AS m LEFT JOIN tidings.threads AS t "
    "ON t.organization_id = m.organization_id AND t.id = m.thread_id ORDER BY m.position",
)
JOBS = Query(
    "jobs",
    "Lists jobs.",
    "SELECT kind, args ->> 'position' AS position FROM tidings.jobs "
    "WHERE kind IN ('replies.consider', 'intelligence.read') ORDER BY 1, 2",
)
EVENTS = Query(
    "events",
    "Lists events.",
    "SELECT topic, event, payload FROM tidings.outbox ORDER BY created_at, id",
)


async def rows(db, tenant, query=MESSAGES):
    async with db.tenant_batch(tenant.as_service()) as batch:
        found = batch.add(query)
    return found.rows


class Talk:
    """A channel with one question of Bo's."""

    def __init__(self, db, tenant):
        self.db, self.tenant = db, tenant

    async def begin(self, kind="email"):
        await set_policy(self.db, self.tenant)
        self.channel_id = await make_channel(self.db, self.tenant, kind=kind)
        await self.said("q1@example.com", "Does it ship?")
        (question,) = await rows(self.db, self.tenant)
        self.question = question["id"]
        return self

    async def said(self, external_id, body, **more):
        given = {"direction": "in", "sender": Sender(id="bo@example.com", name="Bo")} | more
        item = MessageItem(external_id=external_id, body=body, sent_at=NOON, **given)
        return await ingest(self.db, self.tenant, self.channel_id, [item])

    async def reply(self, **more):
        return await make_approved(self.db, self.tenant, message_id=self.question, **more)


@pytest_asyncio.fixture
async def talk(db, organization):
    return await Talk(db, organization.tenant).begin()


async def test_a_sent_mail_is_in_the_thread_that_it_answers(db, organization, settings, talk):
    tenant = organization.tenant
    approval_id = await talk.reply(subject="Re: Shipping", content="It does.")
    async with mail_house(db, settings) as (sender, server):
        before = db.trips.total
        assert (await sender.send(tenant, approval_id)).status == "sent"
        # Route, password, claim; then sent, what was sent, what is known of its thread, the rest.
        assert db.trips.total - before == 7
    question, reply = await rows(db, tenant)
    assert (reply["direction"], reply["automatic"], reply["body"]) == ("out", None, "It does.")
    assert (reply["sender_id"], reply["sender_email"]) == ("us@house.example",) * 2
    assert reply["sender_name"]
    assert (reply["reply_to"], reply["subject"]) == ("q1@example.com", "Re: Shipping")
    assert reply["thread_id"] == question["thread_id"] is not None
    assert reply["messages_count"] == 2
    approval = await state_of(db, tenant, approval_id)
    assert reply["sent_at"] == approval.sent_at
    # The copy in the mailbox, and Bo's answer to it, find what they belong to.
    own_id = server.mails[0].parsed["Message-ID"].strip("<>")
    assert reply["external_id"] == own_id
    copy = await talk.said(own_id, "It does.", direction="out")
    assert (copy.created, copy.duplicates) == (0, 1)
    await talk.said("q2@example.com", "Thanks!", reply_to=own_id)
    assert {row["thread_id"] for row in await rows(db, tenant)} == {question["thread_id"]}
    async with db.tenant_transaction(tenant.as_service()) as transaction:
        await write_back(transaction, approval_id)
    assert len(await rows(db, tenant)) == 3


async def test_an_automatic_one_is_marked_and_what_goes_out_is_considered_for_no_rule(
    db, organization, settings, talk
):
    tenant = organization.tenant
    async with mail_house(db, settings) as (sender, _):
        await sender.send(tenant, await talk.reply(is_automatic=True))
        # Our machine's answer is no person's: it keeps nobody from answering.
        assert (await rows(db, tenant))[-1]["automatic"] == "own"
        await talk.said("q2@example.com", "And when?")
        talk.question = (await rows(db, tenant))[-1]["id"]
        assert (await sender.send(tenant, await talk.reply())).status == "sent"
    considered = Query(
        "considered",
        "What rules would be held against.",
        "SELECT count(*) FROM tidings.messages WHERE direction = 'in'",
    )
    (row,) = await rows(db, tenant, considered)
    assert row["count"] == 2
    # The others' services hear of it as of every message.
    told = [(row["kind"], row["position"]) for row in await rows(db, tenant, JOBS)]
    assert [kind for kind, at in told if at == "4"] == ["intelligence.read", "replies.consider"]


async def test_what_nobody_knows_left_is_no_message(db, organization, settings, talk):
    async with mail_house(db, settings) as (sender, server):
        server.script(("END", "drop"))
        await sender.send(organization.tenant, await talk.reply())
    assert len(await rows(db, organization.tenant)) == 1


async def test_by_a_gateway_it_has_the_key_that_the_gateway_was_given(db, organization, settings):
    tenant = organization.tenant
    talk = await Talk(db, tenant).begin("slack")
    approval_id = await talk.reply(type="message", channel="slack", to="U1", content="Yes.")
    sender, token = make_sender(db, settings), uuid4()
    claim = await sender.claim(tenant.as_service(), approval_id, token, repeatable=True)
    done = await sender.settle(
        tenant.as_service(), approval_id, token, Outcome("sent", "ok", "ok"), in_channel=True
    )
    assert done.status == "sent"
    reply = (await rows(db, tenant))[-1]
    assert reply["external_id"] == str(claim.idempotency_key)
    assert "@" in reply["sender_id"]  # of who approved it


async def test_an_archived_channel_stays_and_the_reply_is_sent(db, organization, settings, talk):
    tenant = organization.tenant
    approval_id = await talk.reply()
    await update_channel(db, tenant, talk.channel_id, ChannelChange(archived=True))
    async with mail_house(db, settings) as (sender, _):
        assert (await sender.send(tenant, approval_id)).status == "sent"
    assert len(await rows(db, tenant)) == 1


async def test_a_copy_that_fails_costs_no_mark(db, organization, settings, talk, monkeypatch):
    async def fails(*_, **__):
        raise RuntimeError("a defect")

    monkeypatch.setattr("tidings.approvals.send.write_back", fails)
    approval_id = await talk.reply()
    async with mail_house(db, settings) as (sender, server):
        assert (await sender.send(organization.tenant, approval_id)).status == "sent"
        assert len(server.mails) == 1
    assert (await state_of(db, organization.tenant, approval_id)).status == "sent"


async def test_what_a_person_sent_by_hand(db, organization, talk):
    tenant = organization.tenant
    by_hand = {"type": "message", "channel": "linkedin", "to": "in/bo"}
    approval_id = await talk.reply(**by_hand)
    async with db.tenant_transaction(tenant) as transaction:
        await open_by_hand(transaction, approval_id)
        await mark_sent(transaction, approval_id)
    reply = (await rows(db, tenant))[-1]
    assert (reply["direction"], reply["body"]) == ("out", "Hello Bo.")
    assert reply["thread_id"] is not None


@pytest.mark.parametrize("in_channel", [True, False])
async def test_every_move_is_told_to_those_who_see_it(db, organization, talk, in_channel):
    more = {"message_id": talk.question} if in_channel else {}
    approval_id = await make_approved(db, organization.tenant, **more)
    topic = f"approvals:{talk.channel_id}" if in_channel else "approvals"
    told = [
        row["payload"]["items"][0]["status"]
        for row in await rows(db, organization.tenant, EVENTS)
        if row["topic"] == topic and row["payload"]["items"][0]["id"] == str(approval_id)
    ]
    assert told == ["pending", "approved"]
