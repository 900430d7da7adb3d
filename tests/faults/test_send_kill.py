"""A worker process is killed around its sends: each left once, or a person is told; none twice."""

import asyncio
import base64
from datetime import timedelta

import psycopg
from pydantic import SecretStr

from acceptance.processes import WAIT, kill, worker_process
from acceptance.product import PATIENCE, open_product, settings_for
from tidings.approvals.due import look_for_due
from tidings.approvals.gateways import set_gateway
from tidings.connectors.testing import FakeGateway, FakeSmtp
from tidings.tenancy.secret_keys import load_secret_keys

from factories.approvals import make_approved, make_sender, set_policy, state_of
from factories.channels import make_channel
from factories.later import later_databases

KEY = base64.b64encode(b"k" * 32).decode()
WAITING = "SELECT FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')"


async def until(true):
    async with asyncio.timeout(PATIENCE):
        while not await true():
            pass


async def test_killed_before_during_and_after_the_other_side_took_it(
    database_url, superuser_url, tmp_path
):
    settings = settings_for(database_url, tmp_path)
    async with (
        open_product(settings, superuser_url) as product,
        FakeSmtp() as server,
        FakeGateway("whsec_unused") as gateway,
        await psycopg.AsyncConnection.connect(superuser_url) as gate,
    ):
        tenant = (await product.customer()).organization.tenant
        db = product.system.db
        await set_policy(db, tenant)
        made = await set_gateway(
            db, load_secret_keys(settings), tenant, "slack", gateway.url, allow_private=True
        )
        gateway._secret = made.secret
        channel_id = await make_channel(db, tenant)
        mails = [await make_approved(db, tenant, channel_id=channel_id) for _ in range(3)]
        posts = [
            await make_approved(
                db, tenant, channel_id=channel_id, type="message", channel="slack", to=to
            )
            for to in ("U1", "U2")
        ]
        # One hears nothing while it connects, one after its content was taken; the third, and a
        # post, are taken and said to be, and cannot be marked so: their channel is held.
        server.script(("CONNECT", "silence"), ("END", "silence"))
        gateway.script(0)
        await gate.execute("SELECT FROM tidings.channels FOR UPDATE")
        sending = {
            "TIDINGS_SMTP_URL": server.url,
            "TIDINGS_SMTP_FROM": "us@house.example",
            "TIDINGS_GATEWAY_PRIVATE": "true",
            "TIDINGS_SECRET_KEY": KEY,
        }
        async with worker_process(settings, **sending) as dies:

            async def all_are_there():
                await product.look(WAIT)
                held = await product.look(WAITING)
                return (len(server.mails), len(gateway.sent), len(held)) == (2, 2, 2)

            await until(all_are_there)
            statuses = await product.look("SELECT DISTINCT status FROM tidings.approvals")
            assert statuses == [{"status": "sending"}]
            await kill(dies)
        # The server hears of it as soon as it writes to them; what they hold is free then.
        await gate.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        await gate.rollback()
        keys = set(gateway.sent)
        async with later_databases(settings, database_url) as later:
            moved = await later(timedelta(minutes=3))
            await look_for_due(moved)
            sender = make_sender(
                moved, settings, smtp_url=SecretStr(server.url), gateway_private=True
            )
            for approval_id in (*mails, *posts, *mails):
                await sender.send(tenant, approval_id)
        for approval_id in mails:
            approval = await state_of(db, tenant, approval_id)
            assert (approval.status, approval.outcome) == ("failed", "unknown")
        assert len(server.mails) == 2
        # The gateway knows the keys again: it sent each once.
        for approval_id in posts:
            assert (await state_of(db, tenant, approval_id)).status == "sent"
        assert set(gateway.sent) == keys
        assert len(gateway.posts) == 4
        written = await product.look("SELECT external_id FROM tidings.messages")
        assert {row["external_id"] for row in written} == keys
