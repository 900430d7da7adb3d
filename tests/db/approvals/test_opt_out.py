"""STOP and its kin: heard with the message itself, whatever spelling the address has."""

import idna
import psycopg
import pytest

from tidings.approvals.decisions import open_by_hand
from tidings.approvals.do_not_contact import Entry, add_entry, list_entries
from tidings.base.cursor import Page
from tidings.base.errors import StateConflict
from tidings.db.queries import Query
from tidings.messages.ingest import ingest
from tidings.messages.item import MessageItem, Sender
from tidings.messages.read import list_messages

from factories.approvals import make_approved, make_draft, make_sender, set_policy, state_of
from factories.channels import NOON, make_channel
from factories.organizations import add_member

ASKS = [
    "STOP",
    "stop.",
    "Stop!!",
    "Please stop",
    "STOP ALL",
    "stopall",
    "STOP\n\nSent from my iPhone",
    "Stop\r\n\r\n> On Monday you wrote\r\n> Hello",
    "Stop\n\nOn Mon, 2 Mar 2026 at 12:00, Us <us@house.example> wrote:\n> Hello",
    "unsubscribe",
    "Unsubscribe me please.",
    "  \n Please unsubscribe me from this list.\nThanks, Bo",
    "Opt-out",
    "Remove me from your mailing list",
    "Take me off your list, please",
    "stop emailing me",
    "Stop sending me these messages",
    "Don’t contact me again",
    "do not email me anymore",
    "Bitte abmelden",
    "Désabonner",
]
ASKS_NOT = [
    "",
    "Stop by on Friday?",
    "Stop\nI will call you about the second point.",
    "stop sending invoices by post and use email, please: it is easier for our books",
    "Don't call me before nine",
    "How do I unsubscribe a colleague?",
    "We had to stop the machine.",
    "cancel",
    "The unsubscribe link works",
    "x" * 5000,
]


def test_what_asks_to_be_left_alone(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:

        def asks(body, kind="chat", subject=""):
            query = "SELECT tidings.is_opt_out(%s, %s, %s)"
            return connection.execute(query, [kind, subject, body]).fetchone()[0]

        assert [body for body in ASKS if not asks(body)] == []
        assert [body for body in ASKS_NOT if asks(body)] == []
        assert asks("Cancel", "sms")
        assert asks("", "email", "Unsubscribe")
        assert not asks("See below", "email", "Re: how to unsubscribe")


@pytest.mark.parametrize("name", ["bücher", "münchen-ost", "例え", "пример", "straße", "a\u0308b"])
def test_a_domain_has_one_spelling(database_url, name):
    wanted = idna.encode(f"{name}.example", uts46=True).decode()
    with psycopg.connect(database_url, autocommit=True) as connection:
        query = "SELECT tidings.normalise_contact(%s), tidings.normalise_contact(%s)"
        row = connection.execute(query, [f"Bo@{name.upper()}.example", f"bo@{wanted}"]).fetchone()
    if name != "straße":  # whose capitals are another name
        assert row[0] == f"bo@{wanted}"
    assert row[1] == f"bo@{wanted}"


async def said(db, tenant, channel_id, body, sender, **more):
    item = MessageItem(
        external_id=body + sender.id, sender=sender, direction="in", body=body, sent_at=NOON, **more
    )
    return await ingest(db, tenant, channel_id, [item])


async def entries(db, tenant):
    return (await list_entries(db, tenant, Page(50))).items


async def test_who_writes_stop_gets_nothing_that_was_waiting(db, organization, settings):
    tenant = organization.tenant
    await set_policy(db, tenant)
    pending = await make_draft(db, tenant, to="bo@xn--bcher-kva.example")
    approved = await make_approved(db, tenant, to="Bo@Bücher.example")
    opened = await make_approved(db, tenant, type="message", channel="linkedin", to="in/bo")
    other = await make_draft(db, tenant, to="eve@bücher.example")
    async with db.tenant_transaction(tenant) as transaction:
        await open_by_hand(transaction, opened)
    channel_id = await make_channel(db, tenant, kind="email")
    bo = Sender(id="in/bo", name="Bo", email="bo@bücher.example")
    assert (await said(db, tenant, channel_id, "STOP", bo)).created == 1
    for approval_id in (pending, approved, opened):
        approval = await state_of(db, tenant, approval_id)
        assert (approval.status, approval.outcome) == ("cancelled", "do_not_contact")
    assert (await state_of(db, tenant, other)).status == "pending"
    assert {(one.kind, one.value, one.source) for one in await entries(db, tenant)} == {
        ("handle", "in/bo", "opt_out"),
        ("email", "bo@xn--bcher-kva.example", "opt_out"),
    }
    again = await make_approved(db, tenant, to="bo@bücher.example")
    sent = await make_sender(db, settings).send(tenant, again)
    assert (sent.status, sent.why) == ("cancelled", "do_not_contact")
    audited = Query(
        "audited",
        "Counts.",
        "SELECT count(*) FROM tidings.audit_log WHERE action = 'do_not_contact.added'",
    )
    async with db.tenant_batch(tenant) as batch:
        count = batch.add(audited)
    assert count.value() == 2


async def test_where_an_opt_out_came_from_is_shown(db, organization, superuser_url):
    """Also of one in an archive, however old: it holds, and somebody can see why."""
    tenant = organization.tenant
    channel_id = await make_channel(db, tenant)
    old, older = NOON.replace(year=2015), NOON.replace(year=2014)
    bo = Sender(id="bo@example.com")
    items = [
        MessageItem(external_id=str(at), sender=bo, direction="in", body="STOP", sent_at=at)
        for at in (older, old)
    ]
    await ingest(db, tenant, channel_id, items)
    (newest,) = (await list_messages(db, tenant, channel_id, Page(1))).items
    (entry,) = await entries(db, tenant)
    assert (entry.source, entry.asked_at) == ("opt_out", old)
    assert (entry.message_id, entry.channel_id) == (newest.id, channel_id)
    colleague = await add_member(superuser_url, organization, "member")
    (seen,) = await entries(db, colleague)
    assert (seen.asked_at, seen.channel_id) == (old, None)
    async with db.tenant_transaction(tenant) as transaction:
        known, is_new = await add_entry(transaction, "email", "bo@example.com")
        by_hand, _ = await add_entry(transaction, "handle", "kim")
    assert (known, is_new) == (entry, False)
    assert (by_hand.asked_at, by_hand.message_id) == (None, None)


async def test_machines_and_our_own_people_ask_nothing(db, organization, superuser_url):
    tenant = organization.tenant
    with psycopg.connect(superuser_url) as connection:
        (ours,) = connection.execute(
            "SELECT email FROM tidings.users WHERE id = %s", [tenant.user_id]
        ).fetchone()
    channel_id = await make_channel(db, tenant)
    headers = {"List-Id": "<news.example>"}
    await said(db, tenant, channel_id, "stop", Sender(id="news@list.example"), headers=headers)
    await said(db, tenant, channel_id, "stop", Sender(id="U1", email=ours))
    assert await entries(db, tenant) == []
    # What nobody could write to is no reason to refuse a message.
    for strange in (" ", "a b@c@d", "@", "+1", "\u2028", "0"):
        assert (await said(db, tenant, channel_id, "stop", Sender(id=strange))).created == 1
    assert all(isinstance(one, Entry) for one in await entries(db, tenant))


async def test_what_is_opened_is_left_or_cancelled(db, organization):
    tenant = organization.tenant
    await set_policy(db, tenant)
    approval_id = await make_approved(db, tenant, type="message", channel="phone", to="+4930123456")
    async with db.tenant_transaction(tenant) as transaction:
        await add_entry(transaction, "handle", "someone")
        assert await open_by_hand(transaction, approval_id) is None
        with pytest.raises(StateConflict):
            await open_by_hand(transaction, approval_id)
    other = await make_approved(db, tenant, type="message", channel="facebook", to="bo")
    async with db.tenant_transaction(tenant) as transaction:
        await add_entry(transaction, "handle", "bo")
    late = await make_approved(db, tenant, type="message", channel="facebook", to="Bo")
    async with db.tenant_transaction(tenant) as transaction:
        assert await open_by_hand(transaction, late) == "do_not_contact"
    for cancelled in (other, late):
        assert (await state_of(db, tenant, cancelled)).status == "cancelled"
