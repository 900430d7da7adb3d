"""A database that restarts: what was remembered before it is forgotten, whatever happened since."""

import asyncio

import psycopg

from conftest import PASSWORD
from tidings.base.cursor import Page
from tidings.base.settings import Settings
from tidings.db.addresses import Addresses
from tidings.meetings.capture import capture, decode_items
from tidings.meetings.read import list_meetings
from tidings.meetings.recalled import recall_meeting
from tidings.recall.cache import MISSING
from tidings.wiring import open_system, recalling

from factories.meetings import meeting
from factories.organizations import make_organization

PATIENCE = 60


async def test_nothing_from_before_a_restart_is_remembered(own_server, tmp_path):
    server, cluster = own_server
    url = cluster.url("tidings_app", PASSWORD, "tidings")
    admin_url = cluster.url("postgres", cluster.superuser_password, "tidings")
    tenant = (await make_organization(admin_url, "Restarted")).tenant
    settings = Settings(
        home=tmp_path / "keys", database_url=url, listen_url=url, pool_timeout=1, _env_file=None
    )
    async with (
        asyncio.timeout(PATIENCE),
        open_system(settings, Addresses(url, None, url, None)) as system,
        recalling(system) as recall,
    ):
        items, _ = decode_items([meeting(1, title="Before")])
        await capture(system.db, tenant, "api", items)
        (row,) = (await list_meetings(system.db, tenant, Page(5))).items
        await recall.on.wait()
        await recall_meeting(system.db, recall, tenant, row.id)
        assert recall.peek(tenant, f"meeting:{row.id}") is not MISSING

        await server.stop(force=True)
        async with asyncio.timeout(PATIENCE):
            while recall.on.is_set():  # noqa: ASYNC110 - its end has no event
                await asyncio.sleep(0)
        assert recall.peek(tenant, f"meeting:{row.id}") is MISSING

        await server.start()
        # Nobody relays: only the restart itself can have made it forget.
        async with await psycopg.AsyncConnection.connect(admin_url, autocommit=True) as admin:
            await admin.execute("UPDATE tidings.meetings SET title = 'After'")
        await recall.on.wait()
        assert (await recall_meeting(system.db, recall, tenant, row.id)).title == "After"
        assert recall.stats().size == 1
