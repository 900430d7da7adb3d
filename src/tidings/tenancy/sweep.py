"""Removes what outlived its use: claims, counters, used links, ended sessions."""

from tidings.db.queries import load_queries
from tidings.db.transaction import Database

sql = load_queries("tidings.tenancy")

BATCH = 1000
"""Rows of each kind removed in one transaction, so that no lock is held for long."""


async def sweep_tenancy(db: Database, max_rows: int = BATCH) -> int:
    """Remove rows past their time, in batches until none is left; how many were removed."""
    total = 0
    while True:
        async with db.system_batch() as batch:
            removed = batch.add(sql.sweep_tenancy, {"max_rows": max_rows})
        count = int(removed.value())
        total += count
        if count == 0:
            return total
