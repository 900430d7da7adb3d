"""Deletes expired keys, which nobody sees any more, and tells those who watch them."""

from tidings.db.queries import load_queries
from tidings.db.transaction import Database

BATCH = 1_000
EVERY = 10.0
"""Seconds between sweeps, and so how late a watcher learns of an expiry."""

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
