"""Relays that die, listeners that are cut off, databases that restart: no event is lost."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg

from conftest import PASSWORD
from tidings.base.settings import Settings
from tidings.db.listen import Listener
from tidings.db.pools import primary_pool
from tidings.db.transaction import Database
from tidings.realtime.outbox import publish
from tidings.realtime.relay import Relay, relay_state
from tidings.realtime.subscribe import CHANNEL, Hub
from tidings.realtime.topics import any_member
from web.house import settings_for
from web.served import serve
from web.sockets import open_socket

from factories.organizations import make_organization

SCRIPT = Path(__file__).with_name("relay_of_test_realtime.py")
TOPIC = "run:1"
PATIENCE = 60


@asynccontextmanager
async def relay_process(url):
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), url, stdout=asyncio.subprocess.PIPE
    )
    try:
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
        assert line == b"relaying\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def running(*duties) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(duty) for duty in duties]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def write(db, tenant, n):
    async with db.tenant_batch(tenant) as batch:
        publish(batch, TOPIC, "n", n)


async def test_a_killed_relay_is_replaced_and_nothing_is_lost(db, database_url, organization):
    """The one with the lease dies by SIGKILL while events keep coming; another takes over."""
    total = 300
    hub = Hub(db, {"run": any_member}, poll=0.05)
    relay = Relay(db)
    tenant = organization.tenant
    async with (
        asyncio.timeout(PATIENCE),
        relay_process(database_url) as leader,
        running(hub.run(), relay.run()),
        hub.subscribe(tenant, [TOPIC]) as events,
    ):
        before = (await relay_state(db)).worker
        seen = []
        is_killed = asyncio.Event()

        async def keep_writing():
            for n in range(total):
                if n == total // 2:
                    await is_killed.wait()
                await write(db, tenant, n)

        writing = asyncio.create_task(keep_writing())
        async for event in events:
            seen.append(event.payload)
            if len(seen) == total // 3:
                leader.kill()
                is_killed.set()
            if len(seen) == total:
                break
        await writing
        assert seen == list(range(total))
        assert (await relay_state(db)).worker not in (None, before)


async def test_reconnects_and_a_killed_relay_lose_nothing_on_the_way_to_a_client(
    cluster, database_name, database_url, superuser_url
):
    """Twenty forced reconnects over a real WebSocket, and the relay killed between them."""
    total, reconnects = 420, 20
    settings = settings_for(database_url)
    with serve(settings, database_url, superuser_url) as served:
        team = await served.acall(served.house.team())
        key = await served.acall(served.house.key(team))
        async with (
            asyncio.timeout(PATIENCE),
            relay_process(database_url) as leader,
            open_socket(served.url, key) as sender,
        ):

            async def keep_sending():
                for n in range(total):
                    await sender.ask(type="broadcast", topic="room:a", event="n", payload=n)

            position = None
            seen = []
            sending = None
            for turn in range(reconnects + 1):
                async with open_socket(served.url, key) as socket:
                    more = {} if position is None else {"after": position}
                    position = await socket.join("room:a", **more)
                    sending = sending or asyncio.create_task(keep_sending())
                    for _ in range(total // (reconnects + 1)):
                        event = await socket.next()
                        seen.append(event["payload"])
                        position = event["position"]
                    if turn == reconnects // 2:
                        leader.kill()
                    socket.connection.transport.abort()
            await sending
    assert seen == list(range(total))


async def test_a_listener_that_was_cut_off_looks_for_itself(
    db, database_url, superuser_url, organization
):
    """Its hub never polls; what was published while it was away comes once it is back."""
    hub = Hub(db, {"run": any_member}, poll=3600)
    listener = Listener(database_url, {CHANNEL: hub.wake})
    relay = Relay(db)
    tenant = organization.tenant
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'tidings-listen' AND datname = current_database()"
    )
    async with (
        asyncio.timeout(PATIENCE),
        await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as admin,
        running(hub.run(), listener.run()),
        hub.subscribe(tenant, [TOPIC]) as events,
    ):
        for n in range(5):
            await listener.connected.wait()
            await admin.execute(cut)
            await write(db, tenant, n)
            await relay.turn()
            assert (await anext(events)).payload == n


async def test_a_restart_of_the_database_loses_nothing(own_server):
    server, cluster = own_server
    url = cluster.url("tidings_app", PASSWORD, "tidings")
    organization = await make_organization(
        cluster.url("postgres", cluster.superuser_password, "tidings"), "Restarted"
    )
    settings = Settings(database_url=url, pool_primary_min=1, pool_timeout=1, _env_file=None)
    db = Database(primary_pool(settings, url))
    await db.open()
    hub = Hub(db, {"run": any_member}, poll=0.05)
    listener = Listener(url, {CHANNEL: hub.wake})
    try:
        async with (
            asyncio.timeout(PATIENCE),
            running(hub.run(), listener.run(), Relay(db).run()),
            hub.subscribe(organization.tenant, [TOPIC]) as events,
        ):
            for n in range(10):
                await write(db, organization.tenant, n)
            # Committed, and most likely not published yet.
            await server.stop(force=True)
            await server.start()
            assert [(await anext(events)).payload for _ in range(10)] == list(range(10))
            await listener.connected.wait()
            await write(db, organization.tenant, 10)
            assert (await anext(events)).payload == 10
    finally:
        await db.close()
