"""A worker process is killed half-way through a mailbox: the next takes in the rest, all once."""

import asyncio

from acceptance.processes import kill, locks, worker_process
from acceptance.product import PATIENCE, open_product, settings_for
from tidings.connectors.check_mailbox import Checked, Checker
from tidings.connectors.imap import MOST
from tidings.connectors.mailboxes import MailboxSettings, set_mailbox, start_check
from tidings.tenancy.secret_keys import load_secret_keys

from factories.channels import make_channel
from factories.imap import FakeImap, letter

STORED = "SELECT external_id, position FROM tidings.messages ORDER BY position"


async def test_killed_between_two_batches_and_before_the_commit_of_one(
    database_url, superuser_url, tmp_path
):
    settings = settings_for(database_url, tmp_path, gateway_private=True)
    keys = load_secret_keys(settings)
    key = settings.secret_key.get_secret_value()
    async with (
        open_product(settings, superuser_url) as product,
        FakeImap() as server,
        locks(product, 1) as (gate,),
    ):
        tenant = (await product.customer()).organization.tenant
        db = product.system.db
        channel_id = await make_channel(db, tenant, kind="email")
        given = MailboxSettings(
            host="127.0.0.1",
            port=server.port,
            tls="never",
            user="us@house.example",
            password="secret",
        )
        await set_mailbox(db, keys, tenant, channel_id, given, allow_private=True)
        server.put(*(letter(n) for n in range(1, MOST + 11)))
        # The second batch is fetched while another holds the mailbox: its letters are written, and
        # cannot be committed without the point up to which was looked.
        server.script(("FETCH", "pass"), ("FETCH", "pass"), ("FETCH", "hold"))
        env = {"TIDINGS_GATEWAY_PRIVATE": "true", "TIDINGS_SECRET_KEY": key}
        async with db.tenant_transaction(tenant) as transaction:
            await start_check(transaction, channel_id)
        # The schedule leaves it alone meanwhile.
        await product.look("UPDATE tidings.mailboxes SET next_check_at = '2100-01-01' RETURNING 1")
        async with worker_process(settings, **env) as dies:
            await asyncio.wait_for(server.silent.wait(), PATIENCE)
            assert len(await product.look(STORED)) == MOST
            await gate.hold("mailboxes", "EXCLUSIVE")
            server.go.set()
            pid = await gate.waited_for("mailboxes", "UPDATE%")
            await kill(dies)
        await product.look("SELECT pg_terminate_backend(%s, 60000)", pid)
        await gate.release()
        assert len(await product.look(STORED)) == MOST
        checker = Checker(db, keys, settings, lambda: None)
        assert await checker.check(tenant, channel_id) == Checked(created=10)
        stored = await product.look(STORED)
        assert [row["position"] for row in stored] == list(range(1, MOST + 11))
        assert {row["external_id"] for row in stored} == {
            f"m{n}@example.com" for n in range(1, MOST + 11)
        }
        assert await checker.check(tenant, channel_id) == Checked()
