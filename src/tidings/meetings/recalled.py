"""What a process remembers of meetings: they are read far more often than they change."""

from contextlib import suppress
from uuid import UUID

import msgspec

from tidings.base.cursor import Page
from tidings.base.errors import RowMissing
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.meetings.read import Meeting, get_meeting, list_companies
from tidings.recall.cache import Recall
from tidings.recall.preload import Preload

sql = load_queries("tidings.meetings")

MEETING = "meeting"
"""The family of tags that triggers drop by the meeting's id; so is `COMPANIES`, as a whole."""
COMPANIES = "companies"

MOST_DOMAINS = 200
_SEGMENTS = 40  # utterances that weigh as much as an entry of ordinary size, some 10 KB
_NOBODY = UUID(int=0)  # what every member may read, a viewer that nobody is may


class _Recent(msgspec.Struct, frozen=True):
    organization_id: UUID
    meeting_id: UUID
    segments_count: int


async def recall_meeting(db: Database, recall: Recall, tenant: Tenant, meeting_id: UUID) -> Meeting:
    """As `get_meeting`, from memory when it is there. Raises `RowMissing`."""

    async def load() -> Meeting | None:
        try:
            return await get_meeting(db, tenant, meeting_id)
        except RowMissing:
            return None

    tag = f"{MEETING}:{meeting_id}"
    found = await recall.get(
        tenant, tag, load, tags=[tag], weigh=lambda meeting: _weight(len(meeting.segments))
    )
    if found is None:
        raise RowMissing
    return found


def preload_meetings(db: Database) -> Preload:
    """Preloads the meetings that were taken in within 24 hours, the newest first."""

    async def preload(recall: Recall, most: int) -> None:
        async with db.system_batch(repeatable=True) as batch:
            found = batch.add(sql.recent_meetings, {"most": most}, row=_Recent)
        left = most
        for recent in found.rows:
            left -= _weight(recent.segments_count)
            if left < 0:
                return
            tenant = Tenant(recent.organization_id, _NOBODY, "viewer")
            with suppress(RowMissing):
                await recall_meeting(db, recall, tenant, recent.meeting_id)

    return preload


async def recall_domains(db: Database, recall: Recall, tenant: Tenant) -> tuple[str, ...]:
    """The domains of the companies met last, up to `MOST_DOMAINS`."""

    async def load() -> tuple[str, ...]:
        known = await list_companies(db, tenant, Page(MOST_DOMAINS))
        return tuple(company.domain for company in known.items)

    return await recall.get(tenant, COMPANIES, load, tags=[COMPANIES]) or ()


def _weight(segments: int) -> int:
    return 1 + segments // _SEGMENTS
