"""What summaries forget."""

from tidings.db.queries import load_queries
from tidings.db.sweep import sweep
from tidings.db.transaction import Database

sql = load_queries("tidings.summaries")

BATCH = 1000


async def sweep_summaries(db: Database, *, batch: int = BATCH) -> int:
    """Delete summaries and cache entries that have expired; returns how many rows."""
    return await sweep(db, sql.sweep, {"most": batch})
