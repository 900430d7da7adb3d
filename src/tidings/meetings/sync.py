"""Fetching a company's meetings from Fathom before they are read."""

from datetime import datetime, timedelta

from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.meetings.capture import MOST_ITEMS, Captured, capture
from tidings.meetings.fathom import FathomClient
from tidings.meetings.item import MeetingItem

sql = load_queries("tidings.meetings")

OVERLAP = timedelta(seconds=1)
"""Asked for again, because two meetings may be created in one moment; a repeat changes nothing."""


async def sync_domain(
    db: Database, tenant: Tenant, client: FathomClient, domain: str, *, fresh_seconds: float
) -> Captured | None:
    """Fetch what is new for a domain; None when it was fetched less than `fresh_seconds` ago.

    Pages are stored as they come, so that a kill loses nothing that was stored; the sync is noted
    only at its end, so that an interrupted one is repeated from where the last whole one stood.
    """
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.last_sync, {"domain": domain, "age": fresh_seconds})
    last = found.optional()
    if last is not None and last["is_fresh"]:
        return None
    since: datetime | None = last["newest_created_at"] if last else None
    newest, total = since, Captured()
    waiting: list[MeetingItem] = []
    async for item in client.meetings([domain], since and since - OVERLAP):
        if not isinstance(item, MeetingItem):
            continue
        newest = max(newest, item.created_at) if newest else item.created_at
        waiting.append(item)
        if len(waiting) == MOST_ITEMS:
            total += await capture(db, tenant, "fathom", waiting)
            waiting.clear()
    total += await capture(db, tenant, "fathom", waiting)
    async with db.tenant_batch(tenant) as batch:
        batch.queue(sql.save_sync, {"domain": domain, "newest": newest})
    return total
