"""Fetching a company's meetings from Fathom before they are read."""

from datetime import datetime, timedelta

import structlog

from tidings.base import clock
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.meetings.capture import Captured, capture
from tidings.meetings.fathom import FathomClient
from tidings.meetings.item import MeetingItem

sql = load_queries("tidings.meetings")

OVERLAP = timedelta(days=1)
"""Asked for again, because a long meeting appears after a shorter one that began later, and its
transcript later still; a repeat changes nothing."""

_BATCH = 25
"""Meetings stored at once: a few pages, so that few wait in memory."""

log = structlog.get_logger(__name__)


async def sync_domain(
    db: Database, tenant: Tenant, client: FathomClient, domain: str, *, fresh_seconds: float
) -> Captured | None:
    """Fetch what is new for a domain; None when it was fetched less than `fresh_seconds` ago.

    They are stored as they come, so that a kill loses nothing that was stored; the sync is noted
    only at its end, so that an interrupted one is repeated from where the last whole one stood.
    What is not a meeting is logged and left out.
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
            log.warning("not a meeting", external_id=item.external_id, problem=item.detail)
            continue
        # A time to come would hide everything that is created before it.
        created = min(item.created_at, clock.now())
        newest = max(newest, created) if newest else created
        waiting.append(item)
        if len(waiting) == _BATCH:
            total += await capture(db, tenant, "fathom", waiting)
            waiting.clear()
    total += await capture(db, tenant, "fathom", waiting)
    async with db.tenant_batch(tenant) as batch:
        batch.queue(sql.save_sync, {"domain": domain, "newest": newest})
    return total
