"""The bridge against a local server of the endpoint's shape."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import psycopg
import pytest

from db.realtime.test_subscribe import running, write
from tidings.base.errors import SettingInvalid
from tidings.base.settings import Settings
from tidings.db.addresses import Addresses
from tidings.db.transaction import Database
from tidings.realtime import supabase
from tidings.realtime.relay import Relay
from tidings.realtime.supabase import SupabaseBridge
from tidings.wiring import open_system, supabase_bridge

from factories.later import Later
from factories.organizations import Organization

KEY = "a-service-key"


class Endpoint:
    """`POST /realtime/v1/api/broadcast`: 202, 401 without the key, 422 for what it refuses."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.is_away = False
        self.was_away = asyncio.Event()  # when a message came
        self.refuses = "nothing"
        self.meanwhile: Callable[[], Any] = lambda: None  # while a message is taken by itself
        self.enough = asyncio.Event()
        self.expected = 0
        self.loop = asyncio.get_running_loop()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def take(self, path: str, headers: Any, body: bytes) -> int:
        if self.is_away:
            self.loop.call_soon_threadsafe(self.was_away.set)
            return 503
        if path != "/realtime/v1/api/broadcast":
            return 404
        if headers["apikey"] != KEY or headers["authorization"] != f"Bearer {KEY}":
            return 401
        messages = json.loads(body)["messages"]
        if any(message["payload"] == self.refuses for message in messages):
            return 422
        self.messages += messages
        if len(messages) == 1:
            self.meanwhile()
        if len(self.messages) >= self.expected:
            self.loop.call_soon_threadsafe(self.enough.set)
        return 202

    def payloads(self) -> list[Any]:
        return [message["payload"] for message in self.messages]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(endpoint.take(self.path, self.headers, body))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


@pytest.fixture
async def endpoint(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Endpoint]:
    monkeypatch.setattr(supabase, "_TIMEOUT", 20)
    made = Endpoint()
    thread = Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    await asyncio.to_thread(made.server.shutdown)
    made.server.server_close()
    thread.join()


def bridge(endpoint: Endpoint, db: Database, *, key: str = KEY, **more: Any) -> SupabaseBridge:
    return SupabaseBridge(db, f"{endpoint.url}/", key, ["room", "run"], **more)


async def test_chosen_topics_are_forwarded_in_order(
    db: Database, relay: Relay, organization: Organization, endpoint: Endpoint
) -> None:
    tenant = organization.tenant
    await write(db, tenant, "room:a", "before the bridge was there")
    await relay.turn()
    made = bridge(endpoint, db)
    start = await made.turn(None)
    await write(db, tenant, "room:a", {"n": 1})
    await write(db, tenant, "kv", "kept here")
    await write(db, tenant, "run:1", None)
    await relay.turn()
    reached = await made.turn(start)
    assert reached == await made.turn(reached)
    topic = f"{organization.organization_id}:"
    assert endpoint.messages == [
        {"topic": f"{topic}room:a", "event": "said", "payload": {"n": 1}, "private": True},
        {"topic": f"{topic}run:1", "event": "said", "payload": None, "private": True},
    ]


async def test_what_was_not_taken_is_sent_again(
    db: Database, relay: Relay, organization: Organization, endpoint: Endpoint
) -> None:
    made = bridge(endpoint, db)
    start = await made.turn(None)
    await write(db, organization.tenant, "room:a", 1)
    await relay.turn()
    endpoint.is_away = True
    with pytest.raises(httpx.HTTPStatusError):
        await made.turn(start)
    endpoint.is_away = False
    await made.turn(start)
    assert endpoint.payloads() == [1]


async def test_a_wrong_key_forwards_nothing_and_loses_nothing(
    db: Database, relay: Relay, organization: Organization, endpoint: Endpoint
) -> None:
    start = await bridge(endpoint, db, key="another", lease=timedelta(0)).turn(None)
    await write(db, organization.tenant, "room:a", 1)
    await relay.turn()
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        await bridge(endpoint, db, key="another", lease=timedelta(0)).turn(start)
    await bridge(endpoint, db).turn(None)
    assert endpoint.payloads() == [1]


async def test_what_is_never_taken_is_left_out(
    db: Database, relay: Relay, organization: Organization, endpoint: Endpoint
) -> None:
    made = bridge(endpoint, db)
    start = await made.turn(None)
    await write(db, organization.tenant, "room:a", 1, "refused", 3)
    await relay.turn()
    endpoint.refuses = "refused"
    await made.turn(start)
    assert endpoint.payloads() == [1, 3]


async def test_what_is_sent_by_itself_is_not_sent_by_two(
    db: Database,
    relay: Relay,
    organization: Organization,
    endpoint: Endpoint,
    superuser_url: str,
) -> None:
    """One by one they may take longer than the lease, and another process take over meanwhile."""

    def take_over() -> None:
        with psycopg.connect(superuser_url) as connection:
            connection.execute(
                "UPDATE tidings.bridges SET worker = 'another' WHERE position = %s", [position]
            )

    made = bridge(endpoint, db)
    start = await made.turn(None)
    await write(db, organization.tenant, "room:a", 1, 2, "refused", 4)
    await relay.turn()
    endpoint.refuses = "refused"
    assert start is not None
    position = start + 1  # noted once the first was taken
    endpoint.meanwhile = take_over
    assert await made.turn(start) is None
    assert endpoint.payloads() == [1, 2]


async def test_one_process_forwards_and_another_takes_over(
    db: Database, relay: Relay, later: Later, organization: Organization, endpoint: Endpoint
) -> None:
    first, second = bridge(endpoint, db), bridge(endpoint, db)
    start = await first.turn(None)
    assert await second.turn(None) is None
    await write(db, organization.tenant, "room:a", 1)
    await relay.turn()
    await first.turn(await first.turn(start))  # forwarded, and noted that it was
    end = await later(timedelta(minutes=1))
    third = bridge(endpoint, end)
    await write(db, organization.tenant, "room:a", 2)
    await relay.turn()
    await third.turn(None)
    assert endpoint.payloads() == [1, 2]


async def test_it_goes_on_by_itself(
    db: Database,
    relay: Relay,
    organization: Organization,
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It waits for an endpoint that is away, and for events that are still to come."""
    monkeypatch.setattr(supabase, "_IDLE", 0.01)
    await bridge(endpoint, db, lease=timedelta(0)).turn(None)
    total = supabase._PAGE + 5
    await write(db, organization.tenant, "room:a", *range(total))
    await relay.turn()
    endpoint.expected = total
    endpoint.is_away = True
    async with running(bridge(endpoint, db).run()), asyncio.timeout(30):
        await endpoint.was_away.wait()
        endpoint.is_away = False
        await endpoint.enough.wait()
    assert endpoint.payloads() == list(range(total))


async def test_it_is_set_up_by_settings(settings: Settings, database_url: str) -> None:
    addresses = Addresses(database_url, None, None, None)
    for changes, expected in (
        ({}, None),
        ({"supabase_url": "https://project.example", "supabase_key": "k"}, SupabaseBridge),
    ):
        changed = Settings(**settings.model_dump() | changes, _env_file=None)
        async with open_system(changed, addresses) as system:
            made = supabase_bridge(system)
            assert made is None if expected is None else isinstance(made, expected)
    half = Settings(**settings.model_dump() | {"supabase_url": "https://x.example"}, _env_file=None)
    async with open_system(half, addresses) as system:
        with pytest.raises(SettingInvalid, match="TIDINGS_SUPABASE_KEY"):
            supabase_bridge(system)
