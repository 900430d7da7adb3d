"""What the gateway forgets, and reservations whose process died."""

from datetime import timedelta

from tidings.db.queries import Query, load_queries
from tidings.db.transaction import Database

sql = load_queries("tidings.ai")

RESERVATION_AGE = timedelta(days=7)
EGRESS_AGE = timedelta(days=365)
SPENDING_AGE = timedelta(days=100)
"""Of a day's sums; those of a month are kept eight times as long."""
BATCH = 1000


async def settle_orphans(db: Database, *, batch: int = BATCH) -> int:
    """End reservations whose lease has passed: in full where the call may have left."""
    return await _drain(db, sql.settle_orphans, {"most": batch})


async def sweep_ai(db: Database, *, batch: int = BATCH) -> int:
    """Delete what is past its age; returns how many rows."""
    ages = {
        "reservation_age": RESERVATION_AGE,
        "egress_age": EGRESS_AGE,
        "day_age": SPENDING_AGE,
    }
    return await _drain(db, sql.sweep_ai, {"most": batch, **ages})


async def _drain(db: Database, query: Query, params: dict[str, object]) -> int:
    total = 0
    while True:
        async with db.system_batch() as statements:
            swept = statements.add(query, params)
        if swept.value() == 0:
            return total
        total += swept.value()
