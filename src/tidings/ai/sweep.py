"""What the gateway forgets, and reservations whose process died."""

from datetime import timedelta

from tidings.db.queries import load_queries
from tidings.db.sweep import sweep
from tidings.db.transaction import Database

sql = load_queries("tidings.ai")

RESERVATION_AGE = timedelta(days=7)
EGRESS_AGE = timedelta(days=365)
SPENDING_AGE = timedelta(days=100)
"""Of a day's sums; those of a month are kept eight times as long."""
BATCH = 1000


async def settle_orphans(db: Database, *, batch: int = BATCH) -> int:
    """End reservations whose lease has passed: in full where the call may have left."""
    return await sweep(db, sql.settle_orphans, {"most": batch})


async def sweep_ai(db: Database, *, batch: int = BATCH) -> int:
    """Delete what is past its age; returns how many rows."""
    ages = {
        "reservation_age": RESERVATION_AGE,
        "egress_age": EGRESS_AGE,
        "day_age": SPENDING_AGE,
    }
    return await sweep(db, sql.sweep_ai, {"most": batch, **ages})
