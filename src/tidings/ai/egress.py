"""The record of what left: when, to whom, how much and its hash; never the text itself."""

from datetime import datetime
from uuid import UUID

import msgspec

from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database

sql = load_queries("tidings.ai")


class Egress(msgspec.Struct, frozen=True):
    """One call that left, or was about to when its process died; `redacted` counts by kind."""

    id: UUID
    run_id: UUID | None
    operation: str
    engine: str
    destination: str
    bytes: int
    sha256: str
    redacted: dict[str, int]
    sent_at: datetime


async def list_egress(
    db: Database, tenant: Tenant, *, before: UUID | None, limit: int
) -> list[Egress]:
    """What left, newest first, what left before the one with the id `before`."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.list_egress, {"before": before, "most": limit}, row=Egress)
    return found.rows
