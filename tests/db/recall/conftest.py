"""Caches that each listen over a connection of their own, and a relay that runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tidings.db.listen import Listener
from tidings.db.transaction import Database
from tidings.realtime.relay import Relay
from tidings.realtime.subscribe import CHANNEL
from tidings.recall import invalidate
from tidings.recall.cache import MISSING, Recall
from tidings.recall.invalidate import Invalidations

PATIENCE = 20


class Watched(Recall):
    """A cache that says when it forgot something, and when it was turned on or off."""

    def __init__(self):
        super().__init__(1000, 300)
        self.dropped_tags = []
        self.turned = []
        self.happened = asyncio.Condition()

    def drop(self, organization_id, tags):
        super().drop(organization_id, tags)
        self.dropped_tags.append((organization_id, sorted(tags)))
        self._tell()

    def turn_on(self):
        super().turn_on()
        self.turned.append("on")
        self._tell()

    def turn_off(self):
        super().turn_off()
        self.turned.append("off")
        self._tell()

    async def until_gone(self, tenant, key):
        await self.until(lambda: self.peek(tenant, key) is MISSING)

    def _tell(self):
        async def tell():
            async with self.happened:
                self.happened.notify_all()

        self._telling = asyncio.ensure_future(tell())

    async def until(self, holds):
        async with asyncio.timeout(PATIENCE), self.happened:
            await self.happened.wait_for(holds)


@dataclass
class House:
    """One process's part: its cache, and what follows the changes for it."""

    recall: Watched
    changes: Invalidations
    listener: Listener


Open = Callable[..., Awaitable[House]]


@pytest_asyncio.fixture
async def processes(
    db: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Open]:
    """Opens the part of a process, already on; with a poll so rare that hints must do."""
    # A look on a busy machine may be slow, and is to be trusted all the same.
    monkeypatch.setattr(invalidate, "_LATE", PATIENCE)
    async with AsyncExitStack() as stack:

        async def open_process(**options: object) -> House:
            recall = Watched()
            changes = Invalidations(db, recall, **({"poll": 600.0} | options))
            listener = Listener(database_url, {CHANNEL: changes.wake}, lost=changes.lost)
            for duty in (changes.run(), listener.run()):
                stack.push_async_callback(_end, asyncio.create_task(duty))
            await recall.until(lambda: recall.stats().is_on)
            return House(recall, changes, listener)

        yield open_process


@pytest_asyncio.fixture
async def relay(db: Database) -> AsyncIterator[Relay]:
    relay = Relay(db)
    task = asyncio.create_task(relay.run())
    yield relay
    await _end(task)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
