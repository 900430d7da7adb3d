"""Mail is answered where its sender wants it, and another domain is looked at by a person."""

from uuid import uuid4

import pytest

from tidings.approvals.do_not_contact import add_entry
from tidings.base import clock
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.messages.ingest import ingest
from tidings.messages.item import MessageItem, Sender
from tidings.replies.answer import draft_answer

from factories.approvals import make_sender, set_policy, state_of
from factories.channels import make_channel
from factories.organizations import add_member

ANA, DESK, MALLORY = "ana@shop.example", "desk@shop.example", "ana@sh0p.example"


@pytest.fixture
async def mail(desk):
    """A channel of mail, in which nothing waits for hours."""
    desk.channel_id = await make_channel(desk.db, desk.tenant, name="Mail", kind="email")
    await set_policy(desk.db, desk.tenant)
    return desk


async def write(mail, answer_to: str) -> None:
    item = MessageItem(
        external_id=str(uuid7()),
        sender=Sender(id=ANA, name="Ana", email=ANA),
        direction="in",
        body="May I have the invoice?",
        sent_at=clock.now(),
        headers={"Reply-To": answer_to},
    )
    await ingest(mail.db, mail.tenant, mail.channel_id, [item])


async def approvals(mail) -> list[tuple[str, str]]:
    return await mail.look("SELECT recipient, status FROM tidings.approvals ORDER BY id")


async def answer(mail):
    """A person's own answer to the last message."""
    ((message_id,),) = await mail.look(
        "SELECT id FROM tidings.messages ORDER BY position DESC LIMIT 1"
    )
    async with mail.db.tenant_transaction(mail.tenant) as transaction:
        return await draft_answer(transaction, mail.channel_id, message_id, "Here it is.")


@pytest.mark.parametrize(
    ("answer_to", "outcome", "approval"),
    [
        (f"The desk <{DESK}>", "sent", (DESK, "approved")),
        (f"{ANA.upper()}, {MALLORY}", "sent", (ANA, "approved")),
        ("undisclosed", "sent", (ANA, "approved")),
        (MALLORY, "drafted", (MALLORY, "pending")),
    ],
)
async def test_a_rule_answers_where_it_is_wanted_and_no_other_domain_by_itself(
    mail, answer_to, outcome, approval
):
    await mail.rule(action="send")
    await write(mail, answer_to)
    await mail.consider()
    assert await mail.outcomes() == [(outcome, None)]
    assert await approvals(mail) == [approval]


@pytest.mark.parametrize("unwanted", [ANA, DESK])
async def test_do_not_contact_holds_for_both_addresses(mail, unwanted):
    await mail.rule(action="send")
    await write(mail, DESK)
    async with mail.db.tenant_transaction(mail.tenant) as transaction:
        await add_entry(transaction, "email", unwanted)
    await mail.consider()
    assert await mail.outcomes() == [("stopped", "do_not_contact")]


async def test_what_would_be_answered_at_a_members_is_our_own(mail, organization):
    member = await add_member(mail.superuser_url, organization, "member")
    ((email,),) = await mail.look("SELECT email FROM tidings.users WHERE id = %s", [member.user_id])
    await mail.rule(action="send")
    await write(mail, email)
    await mail.consider()
    assert await mail.outcomes() == [("stopped", "own")]


async def test_a_persons_answer_shows_that_it_goes_elsewhere(mail, settings):
    await set_policy(mail.db, mail.tenant, "approval_required = false")
    await write(mail, DESK)
    near = await state_of(mail.db, mail.tenant, await answer(mail))
    assert (near.to, near.status, near.answers_elsewhere) == (DESK, "approved", None)
    await write(mail, MALLORY)
    far = await state_of(mail.db, mail.tenant, await answer(mail))
    assert (far.to, far.status, far.answers_elsewhere) == (MALLORY, "pending", ANA)


async def test_who_wants_no_mail_meanwhile_gets_none_at_the_other_address(mail, settings):
    await set_policy(mail.db, mail.tenant, "approval_required = false")
    await write(mail, DESK)
    approval_id = await answer(mail)
    async with mail.db.tenant_transaction(mail.tenant) as transaction:
        await add_entry(transaction, "email", ANA)
    sender = make_sender(mail.db, settings)
    service: Tenant = mail.tenant.as_service()
    claimed = await sender.claim(service, approval_id, uuid4(), repeatable=False)
    assert (claimed.verdict, claimed.why) == ("cancelled", "do_not_contact")
