"""Deleting what is past its age, some rows at a time, so that no statement holds many locks."""

from collections.abc import Mapping
from typing import Any

from tidings.db.queries import Query
from tidings.db.transaction import Database


async def sweep(db: Database, query: Query, params: Mapping[str, Any]) -> int:
    """Run a statement that answers how many rows it took until it takes none; how many in all."""
    total = 0
    while True:
        async with db.system_batch() as batch:
            swept = batch.add(query, params)
        if swept.value() == 0:
            return total
        total += swept.value()
