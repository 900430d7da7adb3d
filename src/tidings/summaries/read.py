"""Summaries as they are shown."""

from uuid import UUID

import msgspec

from tidings.base.cursor import Page, decode_cursor, encode_cursor
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.summaries.record import Summary, SummaryType

sql = load_queries("tidings.summaries")


class SummaryPage(msgspec.Struct, frozen=True):
    """One page of summaries."""

    items: list[Summary]
    next_cursor: str | None


class OwnChannel(msgspec.Struct, frozen=True):
    """A channel one is a member of; `unread` counts messages."""

    id: UUID
    name: str
    unread: int


async def get_summary(db: Database, tenant: Tenant, summary_id: UUID) -> Summary:
    """One summary. Raises `RowMissing` when there is none that the tenant may read."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.get_summary, {"id": summary_id})
    return msgspec.convert(found.one()["summary"], Summary)


async def list_summaries(
    db: Database,
    tenant: Tenant,
    page: Page,
    *,
    kind: SummaryType | None = None,
    reference: UUID | None = None,
) -> SummaryPage:
    """The summaries that the tenant may read, newest first."""
    before = decode_cursor("summaries", page.cursor, UUID)
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(
            sql.list_summaries,
            {"type": kind, "reference": reference, "before": before, "limit": page.limit + 1},
        )
    items = [msgspec.convert(row["summary"], Summary) for row in found.rows[: page.limit]]
    more = encode_cursor("summaries", items[-1].id) if len(found.rows) > page.limit else None
    return SummaryPage(items, more)


async def own_channels(db: Database, tenant: Tenant) -> list[OwnChannel]:
    """The channels that the tenant's user is a member of, by name."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.my_channel_names, row=OwnChannel)
    return found.rows
