"""The log forgets what is past its age."""

from datetime import timedelta

from tidings.db.queries import load_queries
from tidings.db.sweep import sweep
from tidings.db.transaction import Database

sql = load_queries("tidings.replies")

AGE = timedelta(days=400)
BATCH = 1000


async def sweep_replies(db: Database, *, batch: int = BATCH) -> int:
    """Delete log rows past their age, in batches; how many."""
    return await sweep(db, sql.sweep, {"age": AGE, "most": batch})
