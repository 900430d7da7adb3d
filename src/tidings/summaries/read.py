"""Summaries as they are shown."""

from uuid import UUID

import msgspec

from tidings.base.cursor import Page, decode_cursor, listing
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Row
from tidings.summaries.record import Summary, SummaryType
from tidings.summaries.schedule import HOUR, DigestSchedule

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


class Overview(msgspec.Struct, frozen=True):
    """The newest summaries, one's newest digest, and the channels one may ask about."""

    summaries: SummaryPage
    digest: Summary | None
    channels: list[OwnChannel]
    schedule: DigestSchedule


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
    owner: str | None = None,
) -> SummaryPage:
    """The summaries that the tenant may read, newest first; with `owner` those with an action of
    that person."""
    of = listing("summaries", type=kind, reference=reference, owner=owner)
    before = decode_cursor(of, page.cursor, UUID)
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(
            sql.list_summaries,
            {
                "type": kind,
                "reference": reference,
                "owner": owner,
                "before": before,
                "limit": page.limit + 1,
            },
        )
    return _page(found.rows, page, of)


async def overview(db: Database, tenant: Tenant, page: Page) -> Overview:
    """What the page of summaries shows: one round trip."""
    of = listing("summaries")
    before = decode_cursor(of, page.cursor, UUID)
    every = {"type": None, "reference": None, "owner": None}
    digests = {**every, "type": "daily_digest", "before": None, "limit": 1}
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.list_summaries, every | {"before": before, "limit": page.limit + 1})
        digest = batch.add(sql.list_summaries, digests)
        channels = batch.add(sql.my_channel_names, row=OwnChannel)
        schedule = batch.add(sql.read_schedule, {"hour": HOUR}, row=DigestSchedule)
    row = digest.optional()
    latest = msgspec.convert(row["summary"], Summary) if row else None
    return Overview(_page(found.rows, page, of), latest, channels.rows, schedule.one())


def _page(rows: list[Row], page: Page, of: str) -> SummaryPage:
    summaries = [msgspec.convert(row["summary"], Summary) for row in rows]
    return SummaryPage(*page.cut(of, summaries, lambda summary: summary.id))
