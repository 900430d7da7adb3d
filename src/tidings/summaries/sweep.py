"""What summaries forget."""

from tidings.db.queries import load_queries
from tidings.db.transaction import Database

sql = load_queries("tidings.summaries")

BATCH = 1000


async def sweep_summaries(db: Database, *, batch: int = BATCH) -> int:
    """Delete summaries and cache entries that have expired; returns how many rows."""
    total = 0
    while True:
        async with db.system_batch() as statements:
            swept = statements.add(sql.sweep, {"most": batch})
        if swept.value() == 0:
            return total
        total += swept.value()
