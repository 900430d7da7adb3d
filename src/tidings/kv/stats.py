"""What is in the store, for its administrators."""

from datetime import datetime

import msgspec

from tidings.base.errors import RoleForbidden
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database

MOST_READ = 200_000

sql = load_queries("tidings.kv")


class PrefixStats(msgspec.Struct, frozen=True):
    """The keys that share what stands before their first colon, the colon included.

    Keys without one are together under an empty prefix. `bytes` is what the values take as stored.
    """

    prefix: str
    keys: int
    bytes: int
    expiring: int
    oldest: datetime
    newest: datetime
    next_expiry: datetime | None


class KvStats(msgspec.Struct, frozen=True):
    """All prefixes; `complete` is False when only the first 200,000 keys were looked at."""

    prefixes: list[PrefixStats]
    complete: bool


async def read_stats(database: Database, tenant: Tenant) -> KvStats:
    """Count keys, sizes and ages by prefix. Raises `RoleForbidden` for all but admins."""
    if not tenant.is_admin:
        raise RoleForbidden
    async with database.report_batch(tenant) as batch:
        answer = batch.add(sql.kv_stats, {"max": MOST_READ}, row=PrefixStats)
    return KvStats(answer.rows, sum(group.keys for group in answer.rows) < MOST_READ)
