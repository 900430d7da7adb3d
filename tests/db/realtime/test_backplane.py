"""Two processes' hubs and relays side by side, told of each other by NATS or by PostgreSQL."""

import asyncio
import os
import random
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import nats
import psycopg
import pytest
import pytest_asyncio
from nats.aio.client import Client
from pydantic import ValidationError

from db.realtime.test_subscribe import running, take
from tidings.base.clock import now
from tidings.base.ids import uuid7
from tidings.base.settings import Settings
from tidings.db.queries import Query
from tidings.db.transaction import Batch, Database
from tidings.realtime.backplane import (
    MOST_WAITING,
    SIGNALS,
    Backplane,
    Outgoing,
    PostgresBackplane,
    Signals,
)
from tidings.realtime.broadcast import Broadcasts
from tidings.realtime.nats import NatsBackplane
from tidings.realtime.outbox import Event
from tidings.realtime.relay import Relay
from tidings.realtime.subscribe import Hub
from tidings.realtime.topics import any_member

from factories.organizations import Organization

PROGRAM = shutil.which("nats-server", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
TOPIC = "room:a"
PATIENCE = 30

with_nats = pytest.mark.skipif(
    PROGRAM is None, reason="nats-server is not installed: apt-get install nats-server"
)


def free_port() -> int:
    """One that is given to nobody by chance: the system gives those from 32768 on."""
    while True:
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class NatsServer:
    """A real nats-server on a port of its own, that a test may stop and start."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            str(PROGRAM), "-a", "127.0.0.1", "-p", str(self.port), stderr=asyncio.subprocess.PIPE
        )
        assert self._process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            while b"Server is ready" not in await self._process.stderr.readline():
                pass

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[NatsServer]:
    found = NatsServer()
    await found.start()
    yield found
    await found.stop()


@dataclass
class Node:
    """One process's parts. Its hub never looks by itself."""

    hub: Hub
    backplane: Backplane
    relay: Relay
    broadcasts: Broadcasts


def node(db: Database, build: Callable[[Hub], Backplane]) -> Node:
    hub = Hub(db, {"room": any_member}, poll=3600)
    backplane = build(hub)
    relay = Relay(db, hub=hub, backplane=backplane)
    return Node(hub, backplane, relay, Broadcasts(db, relay))


@asynccontextmanager
async def nodes(db: Database, *builds: Callable[[Hub], Backplane]) -> AsyncIterator[list[Node]]:
    made = [node(db, build) for build in builds]
    duties = [duty for one in made for duty in (one.hub.run(), one.backplane.run())]
    async with running(*duties):
        async with asyncio.timeout(PATIENCE):
            for one in made:
                await connected(one.backplane).wait()
        yield made


def connected(backplane: Backplane) -> asyncio.Event:
    if isinstance(backplane, NatsBackplane):
        return backplane.connected
    assert isinstance(backplane, PostgresBackplane)
    return backplane._listener.connected


async def tell_each_other(
    db: Database, organization: Organization, build: Callable[[Hub], Backplane]
) -> None:
    tenant = organization.tenant
    async with (
        nodes(db, build, build) as (here, there),
        here.hub.subscribe(tenant, [TOPIC]) as mine,
        there.hub.subscribe(tenant, [TOPIC]) as theirs,
    ):
        for n in range(3):
            await here.broadcasts.send(tenant, TOPIC, "n", b"%d" % n)
            await there.broadcasts.send(tenant, TOPIC, "n", b"%d" % (n + 10))
        for events in (mine, theirs):
            assert [e.payload for e in await take(events, 6)] == [0, 10, 1, 11, 2, 12]
        await here.broadcasts.signal(tenant, TOPIC, "cursor", b'{"x":1}')
        await here.broadcasts.signal(tenant, TOPIC, "cursor", b'{"x":2}')
        for events in (mine, theirs):
            shown = await take(events, 2)
            assert [(e.event, e.position) for e in shown] == [("cursor", 0), ("cursor", 0)]
        await there.broadcasts.send(tenant, TOPIC, "n", b'"last"')
        for events in (mine, theirs):
            # Nothing of a signal came twice.
            assert [e.payload for e in await take(events, 1)] == ["last"]


@with_nats
async def test_processes_tell_each_other_over_nats(
    db: Database, organization: Organization, server: NatsServer
) -> None:
    await tell_each_other(db, organization, lambda hub: NatsBackplane(server.url, hub))


async def test_processes_tell_each_other_over_postgres(
    db: Database, organization: Organization, database_url: str
) -> None:
    await tell_each_other(db, organization, lambda hub: PostgresBackplane(db, database_url, hub))


@with_nats
async def test_nothing_is_lost_while_nats_is_away(
    db: Database, organization: Organization, server: NatsServer
) -> None:
    tenant = organization.tenant

    def build(hub: Hub) -> Backplane:
        return NatsBackplane(server.url, hub)

    async with (
        nodes(db, build, build) as (here, there),
        there.hub.subscribe(tenant, [TOPIC]) as events,
        asyncio.timeout(PATIENCE),
    ):
        assert isinstance(there.backplane, NatsBackplane)
        await here.broadcasts.send(tenant, TOPIC, "n", b"0")
        assert (await take(events, 1))[0].payload == 0
        await server.stop()
        await here.broadcasts.send(tenant, TOPIC, "n", b"1")
        await here.broadcasts.signal(tenant, TOPIC, "lost", b"null")
        await server.start()
        assert (await take(events, 1))[0].payload == 1
        await there.backplane.connected.wait()
        await connected(here.backplane).wait()
        await here.broadcasts.send(tenant, TOPIC, "n", b"2")
        assert (await take(events, 1))[0].payload == 2


@with_nats
async def test_a_server_that_comes_later_is_waited_for(
    db: Database, organization: Organization
) -> None:
    server = NatsServer()
    here = node(db, lambda hub: NatsBackplane(server.url, hub))
    async with running(here.hub.run(), here.backplane.run()):
        await server.start()
        async with asyncio.timeout(PATIENCE):
            await connected(here.backplane).wait()
    await server.stop()


@with_nats
async def test_who_is_connected_is_heard_by_the_server(
    db: Database, server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its subscriptions have arrived there, or what others say at once would pass it by."""
    real, was_connected = Client.flush, []

    async def flush(client: Client) -> None:
        was_connected.append(connected(here.backplane).is_set())
        await real(client)

    monkeypatch.setattr(Client, "flush", flush)
    here = node(db, lambda hub: NatsBackplane(server.url, hub))
    async with running(here.backplane.run()), asyncio.timeout(PATIENCE):
        await connected(here.backplane).wait()
    assert was_connected == [False]


@with_nats
async def test_deployments_that_share_a_server_do_not_hear_each_other(
    db: Database, organization: Organization, server: NatsServer
) -> None:
    tenant = organization.tenant
    builds = [
        lambda hub: NatsBackplane(f"{server.url}/one", hub),
        lambda hub: NatsBackplane(f"{server.url}/one", hub),
        lambda hub: NatsBackplane(f"{server.url}/other", hub),
    ]
    async with (
        nodes(db, *builds) as (here, same, other),
        same.hub.subscribe(tenant, [TOPIC]) as heard,
        other.hub.subscribe(tenant, [TOPIC]) as unheard,
    ):
        await other.broadcasts.signal(tenant, TOPIC, "n", b'"other"')
        await here.broadcasts.signal(tenant, TOPIC, "n", b'"one"')
        assert (await take(heard, 1))[0].event == "n"
        assert bytes((await take(unheard, 1))[0].payload) == b'"other"'


@with_nats
async def test_nonsense_on_the_wire_harms_nobody(
    db: Database, organization: Organization, server: NatsServer
) -> None:
    tenant = organization.tenant
    async with (
        nodes(db, lambda hub: NatsBackplane(server.url, hub)) as (here,),
        here.hub.subscribe(tenant, [TOPIC]) as events,
    ):
        stranger = await nats.connect(server.url)
        for message in (b"", b"nonsense", b"\xff", b"[]", b"-1", b"9" * 50):
            await stranger.publish("tidings.signal", message)
            await stranger.publish("tidings.wake", message)
        await stranger.close()
        await here.broadcasts.send(tenant, TOPIC, "n", b"1")
        assert (await take(events, 1))[0].payload == 1


class FailingOnce:
    """A database that refuses the first batch it is sent."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.has_failed = asyncio.Event()

    @asynccontextmanager
    async def system_batch(self) -> AsyncIterator[Batch]:
        async with self.db.system_batch() as batch:
            yield batch
            if not self.has_failed.is_set():
                batch.queue(Query("divide", "Divides by zero.", "SELECT 1 / 0"))
                self.has_failed.set()


async def test_signals_that_cannot_be_told_are_lost_alone(
    db: Database, organization: Organization, database_url: str, superuser_url: str
) -> None:
    tenant = organization.tenant
    failing: Any = FailingOnce(db)
    async with (
        nodes(
            db,
            lambda hub: PostgresBackplane(failing, database_url, hub),
            lambda hub: PostgresBackplane(db, database_url, hub),
        ) as (here, there),
        there.hub.subscribe(tenant, [TOPIC]) as events,
        await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as admin,
    ):
        await admin.execute(f"NOTIFY {SIGNALS}, 'nonsense'")
        await here.broadcasts.signal(tenant, TOPIC, "lost", b"1")
        await failing.has_failed.wait()
        await here.broadcasts.signal(tenant, TOPIC, "n", b"1")
        assert (await take(events, 1))[0].event == "n"


async def test_what_cannot_leave_is_dropped_from_the_old_end() -> None:
    outgoing = Outgoing()
    for n in range(MOST_WAITING + 2):
        outgoing.put("n", b"%d" % n)
    taken = await outgoing.take()
    assert (len(taken), taken[0]) == (MOST_WAITING, ("n", b"2"))


async def test_own_signals_are_not_shown_again(db: Database, organization: Organization) -> None:
    hub = Hub(db, {"room": any_member})
    ours, others = Signals(hub), Signals(hub)

    def signal(name: str) -> Event:
        return Event(organization.organization_id, uuid7(), TOPIC, name, None, now(), 0)

    async with hub.subscribe(organization.tenant, [TOPIC]) as events:
        await events.settle()
        told = [ours.encode(signal("own")), others.encode(signal("another's"))]
        for message in ("", b"[1]", b'["",{"payload":' + b"[" * 5000, *told):
            ours.hear(message)
        assert [event.event for event in await take(events, events.waiting)] == ["another's"]


@pytest.mark.parametrize("url", ["redis://x", "x", "postgresql://x"])
def test_the_setting_takes_nats_alone(url: str) -> None:
    with pytest.raises(ValidationError, match="nats://"):
        Settings(backplane=url, _env_file=None)  # type: ignore[arg-type, call-arg]
