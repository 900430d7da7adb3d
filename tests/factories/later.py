"""The same database seen by a connection whose clock is ahead (setting tidings.clock_shift)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import quote

from tidings.base.settings import Settings
from tidings.db.pools import primary_pool
from tidings.db.transaction import Database

Later = Callable[[timedelta], Awaitable[Database]]


@asynccontextmanager
async def later_databases(settings: Settings, url: str) -> AsyncIterator[Later]:
    """Gives a function that opens the database with its clock moved on."""
    opened: list[Database] = []

    async def open_later(by: timedelta) -> Database:
        option = quote(f"-c tidings.clock_shift={by.total_seconds():.0f}s")
        database = Database(primary_pool(settings, f"{url}?options={option}"))
        await database.open()
        opened.append(database)
        return database

    yield open_later
    for database in opened:
        await database.close()
