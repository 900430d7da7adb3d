"""Sending: once, as approved, and what becomes of what went wrong."""

import asyncio
import base64
from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from pydantic import SecretStr

from tidings.approvals.decisions import retry
from tidings.approvals.do_not_contact import add_entry
from tidings.approvals.due import look_for_due, sweep_send_slots
from tidings.approvals.edit import Edit, edit
from tidings.approvals.gateways import set_gateway
from tidings.approvals.unsubscribe import find_link, unsubscribe
from tidings.base.errors import StateConflict
from tidings.connectors.outgoing import Outcome
from tidings.connectors.testing import FakeGateway
from tidings.db.queries import Query
from tidings.tenancy.secret_keys import load_secret_keys
from tidings.tenancy.secrets import open_secret, set_secret

from factories.approvals import (
    MAIL,
    mail_house,
    make_approved,
    make_draft,
    make_sender,
    set_policy,
    state_of,
)
from factories.later import later_databases

JOBS = Query(
    "jobs",
    "Lists jobs.",
    "SELECT args ->> 'approval_id' AS id, run_at FROM tidings.jobs WHERE kind = 'approvals.send'",
)


@pytest_asyncio.fixture
async def house(db, organization, settings):
    """Sender and mail server of an organization that may always send."""
    await set_policy(db, organization.tenant)
    async with mail_house(db, settings) as opened:
        yield opened


@pytest_asyncio.fixture
async def later(settings, database_url):
    async with later_databases(settings, database_url) as opened:
        yield opened


async def jobs(db, organization):
    async with db.tenant_batch(organization.tenant) as batch:
        rows = batch.add(JOBS)
    return rows.rows


async def test_an_approved_mail_leaves_once(db, organization, house):
    sender, server = house
    approval_id = await make_approved(db, organization.tenant)
    before = db.trips.total
    assert (await sender.send(organization.tenant, approval_id)).status == "sent"
    # The route, the password, the claim with all its checks, and what came of it.
    assert db.trips.total - before == 4
    assert (await sender.send(organization.tenant, approval_id)).status == "gone"
    (mail,) = server.mails
    assert (mail.sender, mail.recipients) == ("us@house.example", ["bo@example.com"])
    assert mail.parsed.get_content().strip() == MAIL.content
    assert mail.parsed["Auto-Submitted"] is None
    approval = await state_of(db, organization.tenant, approval_id)
    assert (approval.status, approval.attempts, approval.outcome) == ("sent", 1, None)
    assert approval.provider_id == mail.parsed["Message-ID"]
    assert [entry["outcome"] for entry in approval.attempt_log] == ["sent"]


async def test_what_is_not_approved_stays(db, organization, house):
    sender, server = house
    pending = await make_draft(db, organization.tenant)
    for approval_id in (pending, uuid4()):
        assert (await sender.send(organization.tenant, approval_id)).status == "gone"
    assert server.mails == []


async def test_of_two_workers_one_sends(db, organization, house):
    sender, server = house
    approval_id = await make_approved(db, organization.tenant)
    done = await asyncio.gather(*(sender.send(organization.tenant, approval_id) for _ in range(4)))
    assert sorted(one.status for one in done) == ["gone", "gone", "gone", "sent"]
    assert len(server.mails) == 1


async def test_a_no_for_now_is_tried_again_and_in_the_end_is_for_a_person(
    db, organization, house, later, settings
):
    sender, server = house
    approval_id = await make_approved(db, organization.tenant)
    tries, passed = 1, timedelta()
    for _ in range(5):
        server.script(("RCPT", "451 later"))
        sent = await sender.send(organization.tenant, approval_id)
        if sent.until is None:
            break
        approval = await state_of(db, organization.tenant, approval_id)
        assert (approval.status, approval.waits_for) == ("approved", "retry")
        # Before its time nothing is tried.
        assert (await sender.send(organization.tenant, approval_id)).why == "retry"
        tries += 1
        passed += timedelta(hours=5)
        moved = await later(passed)
        sender = make_sender(moved, settings, smtp_url=SecretStr(server.url))
    assert tries == 5
    approval = await state_of(db, organization.tenant, approval_id)
    assert (approval.status, approval.outcome, approval.attempts) == ("failed", "temporary", 5)
    async with db.tenant_transaction(organization.tenant) as transaction:
        await retry(transaction, approval_id)
    assert (await sender.send(organization.tenant, approval_id)).status == "sent"
    assert len(server.mails) == 1


async def test_the_pauses_between_tries(db, organization, house):
    sender, server = house
    tenant = organization.tenant
    waits = Query(
        "waits",
        "Reads how long it waits.",
        "SELECT next_attempt_at - updated_at AS pause FROM tidings.approvals",
    )
    hurry = Query(
        "hurry",
        "Lets it try now.",
        "UPDATE tidings.approvals SET next_attempt_at = tidings.now()",
    )
    approval_id = await make_approved(db, tenant)
    found = []
    for _ in range(4):
        server.script(("MAIL", "421 busy"))
        await sender.send(tenant, approval_id)
        async with db.tenant_batch(tenant) as batch:
            rows = batch.add(waits)
            batch.queue(hurry)
        found.append(rows.one()["pause"])
    minutes = [round(pause.total_seconds() / 60) for pause in found]
    assert minutes == [5, 15, 60, 240]


async def test_a_refused_one_fails_and_does_not_count(db, organization, house):
    sender, server = house
    await set_policy(db, organization.tenant, "daily_cap = 1")
    first = await make_approved(db, organization.tenant)
    server.script(("RCPT", "550 no such mailbox"))
    assert (await sender.send(organization.tenant, first)).status == "failed"
    approval = await state_of(db, organization.tenant, first)
    assert (approval.outcome, approval.problem) == ("refused", "550 no such mailbox")
    second = await make_approved(db, organization.tenant)
    assert (await sender.send(organization.tenant, second)).status == "sent"


async def test_mail_that_may_have_left_is_never_repeated(db, organization, house):
    sender, server = house
    approval_id = await make_approved(db, organization.tenant)
    server.script(("END", "drop"))
    assert (await sender.send(organization.tenant, approval_id)).status == "failed"
    approval = await state_of(db, organization.tenant, approval_id)
    assert approval.outcome == "unknown"
    assert (await sender.send(organization.tenant, approval_id)).status == "gone"


async def claim_and_die(sender, organization, approval_id, *, repeatable=False):
    token = uuid4()
    claim = await sender.claim(
        organization.tenant.as_service(), approval_id, token, repeatable=repeatable
    )
    assert claim.verdict == "claimed"
    return token, claim


async def test_a_sender_killed_between_claim_and_answer_leaves_it_to_a_person(
    db, organization, house, later
):
    sender, server = house
    approval_id = await make_approved(db, organization.tenant)
    token, _ = await claim_and_die(sender, organization, approval_id)
    await look_for_due(db)
    assert (await state_of(db, organization.tenant, approval_id)).status == "sending"
    await look_for_due(await later(timedelta(minutes=3)))
    approval = await state_of(db, organization.tenant, approval_id)
    assert (approval.status, approval.outcome) == ("failed", "unknown")
    # The dead come back: their answer changes nothing any more.
    late = await sender.settle(
        organization.tenant.as_service(), approval_id, token, Outcome("sent")
    )
    assert late.status == "lease_lost"
    assert (await state_of(db, organization.tenant, approval_id)).status == "failed"
    assert server.mails == []


async def test_a_gateway_gets_the_same_key_again_within_a_day(
    db, organization, house, later, settings
):
    sender, _ = house
    approval_id = await make_approved(db, organization.tenant)
    _, claim = await claim_and_die(sender, organization, approval_id, repeatable=True)
    assert await look_for_due(await later(timedelta(minutes=3))) == 1
    approval = await state_of(db, organization.tenant, approval_id)
    assert approval.status == "approved"
    moved = make_sender(await later(timedelta(minutes=4)), settings)
    _, again = await claim_and_die(moved, organization, approval_id, repeatable=True)
    assert again.idempotency_key == claim.idempotency_key
    assert again.attempt == 2
    await look_for_due(await later(timedelta(hours=25)))
    approval = await state_of(db, organization.tenant, approval_id)
    assert (approval.status, approval.outcome) == ("failed", "unknown")


async def test_a_channel_leaves_by_its_gateway_signed(db, organization, house, settings):
    keys = load_secret_keys(settings)
    async with FakeGateway("whsec_unused") as gateway:
        made = await set_gateway(
            db, keys, organization.tenant, "slack", gateway.url, allow_private=True
        )
        gateway._secret = made.secret
        sender = make_sender(db, settings, gateway_private=True)
        approval_id = await make_approved(
            db, organization.tenant, type="message", channel="slack", to="U123"
        )
        gateway.script(0)
        approved = asyncio.create_task(sender.send(organization.tenant, approval_id))
        await gateway.silent.wait()
        approved.cancel()
        await asyncio.gather(approved, return_exceptions=True)
        assert next(iter(gateway.sent.values()))["to"] == "U123"
        assert len(gateway.posts) == 1


async def test_without_a_way_out_it_waits_and_says_why(db, organization, settings):
    await set_policy(db, organization.tenant)
    sender = make_sender(db, settings)
    approval_id = await make_approved(db, organization.tenant, channel="sms", to="+4930123456")
    assert (await sender.send(organization.tenant, approval_id)).status == "approved"
    assert "gateway" in (await state_of(db, organization.tenant, approval_id)).problem


async def test_a_secret_that_does_not_open_is_said_where_one_looks(
    db, organization, house, settings
):
    keys = load_secret_keys(settings)
    await set_secret(db, keys, organization.tenant, "smtp_password", "its own password")
    other = SecretStr(base64.b64encode(b"o" * 32).decode())
    sender = make_sender(
        db, settings, smtp_url=SecretStr("smtp://us:other@127.0.0.1:1"), secret_key=other
    )
    approval_id = await make_approved(db, organization.tenant)
    assert (await sender.send(organization.tenant, approval_id)).status == "approved"
    problem = (await state_of(db, organization.tenant, approval_id)).problem
    assert "smtp_password was sealed with the key" in problem


async def test_an_organizations_own_password_comes_first(db, organization, settings):
    keys = load_secret_keys(settings)
    await set_secret(db, keys, organization.tenant, "smtp_password", "its own password")
    stored = await open_secret(db, keys, organization.tenant.as_service(), "smtp_password")
    assert stored == "its own password"
    sender = make_sender(db, settings, smtp_url=SecretStr("smtp://us:other@127.0.0.1:1"))
    connector = await sender._ways.find(organization.tenant.as_service(), "email", None)
    assert connector._server.password == "its own password"


async def test_do_not_contact_wins_over_what_was_approved_before(db, organization, house):
    sender, server = house
    tenant = organization.tenant
    mine = await make_approved(db, tenant)
    waiting = await make_draft(db, tenant, to="Someone@Sub.Example.COM")
    phone = await make_approved(db, tenant, channel="sms", type="message", to="0049 (30) 123-456")
    other = await make_approved(db, tenant, to="eve@elsewhere.example")
    async with db.tenant_transaction(tenant) as transaction:
        _, is_new = await add_entry(transaction, "domain", "https://www.example.com/x", "asked")
        assert is_new
        await add_entry(transaction, "phone", "+49 30 123456")
    for approval_id in (mine, waiting, phone):
        approval = await state_of(db, tenant, approval_id)
        assert (approval.status, approval.outcome) == ("cancelled", "do_not_contact")
        assert (await sender.send(tenant, approval_id)).status == "gone"
    later_on = await make_approved(db, tenant, to="new@example.com")
    sent = await sender.send(tenant, later_on)
    assert (sent.status, sent.why) == ("cancelled", "do_not_contact")
    assert (await sender.send(tenant, other)).status == "sent"
    assert len(server.mails) == 1
    async with db.tenant_transaction(tenant) as transaction:
        _, is_new = await add_entry(transaction, "domain", "example.com")
        assert not is_new


async def test_slots_that_no_limit_counts_are_forgotten(db, organization, house, later):
    sender, _ = house
    await sender.send(organization.tenant, await make_approved(db, organization.tenant))
    assert await sweep_send_slots(db) == 0
    assert await sweep_send_slots(await later(timedelta(days=4))) == 1


async def test_the_link_in_a_mail_ends_it(db, organization, house):
    sender, server = house
    tenant = organization.tenant
    first = await make_approved(db, tenant, is_automatic=True)
    second = await make_approved(db, tenant)
    await sender.send(tenant, first)
    mail = server.mails[0].parsed
    assert mail["Auto-Submitted"] == "auto-replied"
    link = mail["List-Unsubscribe"].strip("<>")
    token = link.rpartition("/")[2]
    assert link == f"https://tidings.example/unsubscribe/{token}"
    assert (await find_link(db, token)).is_done is False
    assert await unsubscribe(db, token) == "bo@example.com"
    assert await unsubscribe(db, token) == "bo@example.com"
    assert (await find_link(db, token)).is_done is True
    assert (await state_of(db, tenant, second)).status == "cancelled"


async def test_what_may_have_left_says_so_and_gets_no_second_text(
    db, organization, house, later, settings
):
    sender, _ = house
    tenant = organization.tenant
    approval_id = await make_approved(db, tenant)
    token, _ = await claim_and_die(sender, organization, approval_id, repeatable=True)
    await sender.settle(tenant.as_service(), approval_id, token, Outcome("unknown", "No answer"))
    approval = await state_of(db, tenant, approval_id)
    assert (approval.status, approval.waits_for) == ("approved", "retry")
    assert [entry["outcome"] for entry in approval.attempt_log] == ["unknown"]
    with pytest.raises(StateConflict, match="may have left"):
        async with db.tenant_transaction(tenant) as transaction:
            await edit(transaction, approval_id, Edit(content="Another text"))
    # Four more that certainly failed make nobody know better.
    for hours in (1, 2, 4, 9):
        moved = make_sender(await later(timedelta(hours=hours)), settings)
        token, _ = await claim_and_die(moved, organization, approval_id, repeatable=True)
        await moved.settle(tenant.as_service(), approval_id, token, Outcome("temporary", "503"))
    approval = await state_of(db, tenant, approval_id)
    assert (approval.status, approval.outcome, approval.attempts) == ("failed", "unknown", 5)


async def test_a_gateway_that_takes_nothing_does_not_count(db, organization, house):
    sender, _ = house
    await set_policy(db, organization.tenant, "daily_cap = 1")
    approval_id = await make_approved(db, organization.tenant)
    token, _ = await claim_and_die(sender, organization, approval_id, repeatable=True)
    await sender.settle(
        organization.tenant.as_service(), approval_id, token, Outcome("temporary", "503")
    )
    other = await make_approved(db, organization.tenant)
    assert (await sender.send(organization.tenant, other)).status == "sent"
