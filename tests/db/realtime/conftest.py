"""A hub that runs, a relay that the test turns itself, and databases whose clock is ahead."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import psycopg
import pytest_asyncio

from tidings.base.settings import Settings
from tidings.db.transaction import Database
from tidings.realtime.relay import Relay
from tidings.realtime.subscribe import Hub
from tidings.realtime.topics import any_member

from factories.later import Later, later_databases
from factories.organizations import Organization, make_organization


@pytest_asyncio.fixture
async def organization(superuser_url: str) -> Organization:
    """What making it published is forgotten, so that a test's own events are the first."""
    made = await make_organization(superuser_url, "Harbour & Pine")
    await forget_events(superuser_url)
    return made


@pytest_asyncio.fixture
async def other_organization(superuser_url: str, organization: Organization) -> Organization:
    made = await make_organization(superuser_url, "Other House")
    await forget_events(superuser_url)
    return made


async def forget_events(superuser_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
        await connection.execute("DELETE FROM tidings.outbox")


@pytest_asyncio.fixture
async def later(settings: Settings, database_url: str) -> AsyncIterator[Later]:
    async with later_databases(settings, database_url) as open_later:
        yield open_later


@pytest_asyncio.fixture
async def relay(db: Database) -> Relay:
    return Relay(db)


@pytest_asyncio.fixture
async def hub(db: Database) -> AsyncIterator[Hub]:
    """Knows the topics `run:…` and `note:…`."""
    hub = Hub(db, {"run": any_member, "note": any_member}, poll=0.01, queue=50)
    task = asyncio.create_task(hub.run())
    yield hub
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
