"""The store, with a hub and a relay that run, and stores whose clock is ahead."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import pytest_asyncio

from tidings.base.settings import Settings
from tidings.db.transaction import Database
from tidings.kv.store import Kv
from tidings.kv.watch import TOPICS
from tidings.realtime.relay import Relay
from tidings.realtime.subscribe import Hub

from factories.later import Later, later_databases

LaterKv = Callable[[timedelta], Awaitable[Kv]]


@pytest_asyncio.fixture
async def later(settings: Settings, database_url: str) -> AsyncIterator[Later]:
    async with later_databases(settings, database_url) as open_later:
        yield open_later


@pytest_asyncio.fixture
async def hub(db: Database) -> AsyncIterator[Hub]:
    # Nobody is too slow here, however much comes at once on a busy machine.
    hub = Hub(db, TOPICS, poll=0.01, queue=100_000)
    relay = Relay(db)
    relay.nudge()
    tasks = [asyncio.create_task(hub.run()), asyncio.create_task(relay.run())]
    yield hub
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest_asyncio.fixture
async def kv(db: Database) -> Kv:
    """A store that nobody watches."""
    return Kv(db, Hub(db, TOPICS))


@pytest_asyncio.fixture
async def kv_later(later: Later) -> LaterKv:
    async def open_later(by: timedelta) -> Kv:
        database = await later(by)
        return Kv(database, Hub(database, TOPICS))

    return open_later
