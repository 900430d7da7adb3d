"""Deletes all keys under a prefix, in batches: not one transaction, so a long one blocks nobody."""

import msgspec

from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.kv.keys import check_prefix, range_of

BATCH = 500

sql = load_queries("tidings.kv")


class _Deleted(msgspec.Struct, frozen=True):
    found: int
    deleted: int


async def delete_prefix(database: Database, tenant: Tenant, prefix: str) -> int:
    """Delete every key that starts with the prefix; how many were there.

    An empty prefix deletes all. Raises `RoleForbidden` as `Kv.delete` does.
    """
    span = range_of(check_prefix(prefix))
    total = 0
    while True:
        async with database.tenant_batch(tenant) as batch:
            answer = batch.add(
                sql.kv_delete_range,
                {"lower": span.lower, "upper": span.upper, "max": BATCH},
                row=_Deleted,
            )
        total += answer.one().deleted
        if answer.one().found < BATCH:
            return total
