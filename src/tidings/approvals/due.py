"""The schedule behind the sends: what is due, what ran out, what a dead sender left."""

from collections import defaultdict
from datetime import datetime
from uuid import UUID

import msgspec

from tidings.approvals.draft import send_job
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.sweep import sweep
from tidings.db.transaction import Database
from tidings.queue.enqueue import enqueue_many

sql = load_queries("tidings.approvals")

EVERY = 5.0
"""Seconds between two looks: so soon a dead sender's lease that ended is noticed."""
MOST = 500
_SWEEP_BATCH = 1000


class _Due(msgspec.Struct, frozen=True):
    organization_id: UUID
    id: UUID
    user_id: UUID | None
    due_at: datetime


async def look_for_due(db: Database) -> int:
    """Enqueue what is due and has no job, and end what ran out; how many are due.

    Most have their job from when they were approved or put off: its unique key is the same, so
    that no second one is made.
    """
    async with db.system_batch() as batch:
        found = batch.add(sql.due_approvals, {"most": MOST}, row=_Due)
    by_person: defaultdict[tuple[UUID, UUID], list[_Due]] = defaultdict(list)
    for due in found.rows:
        by_person[due.organization_id, due.user_id or due.id].append(due)
    for (organization_id, user_id), dues in by_person.items():
        async with db.tenant_batch(Tenant(organization_id, user_id, "service")) as batch:
            enqueue_many(batch, [send_job(due.id, due.due_at) for due in dues])
    return len(found.rows)


async def sweep_send_slots(db: Database) -> int:
    """Forget slots that no limit counts any more, in batches; how many."""
    return await sweep(db, sql.sweep_send_slots, {"most": _SWEEP_BATCH})
