"""Deletes expired keys, which nobody sees any more, and tells those who watch them."""

import asyncio

import structlog

from tidings.base.errors import DatabaseBusy, DatabaseUnavailable
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.realtime.duty import stop_if_cancelled

BATCH = 1_000
EVERY = 10.0  # seconds, and so how late a watcher learns of an expiry

log = structlog.get_logger(__name__)
sql = load_queries("tidings.kv")


async def sweep_kv(database: Database) -> int:
    """Delete every expired key of every organization, in batches; how many went."""
    total = 0
    while True:
        async with database.system_batch(repeatable=True) as batch:
            swept = batch.add(sql.kv_sweep, {"max": BATCH})
        gone: int = swept.value()
        total += gone
        if gone < BATCH:
            return total


async def keep_swept(database: Database, every: float = EVERY) -> None:
    """Sweep every so many seconds until cancelled. Several processes may: they skip each other."""
    while True:
        try:
            await sweep_kv(database)
        except (DatabaseUnavailable, DatabaseBusy) as error:
            log.warning("kv_sweep_waits_for_database", error=error.message)
        stop_if_cancelled()
        await asyncio.sleep(every)
