"""What a process remembers of meetings: they are read far more often than they change."""

from uuid import UUID

from tidings.base.cursor import Page
from tidings.base.errors import RowMissing
from tidings.base.tenant import Tenant
from tidings.db.transaction import Database
from tidings.meetings.read import Meeting, get_meeting, list_companies
from tidings.recall.cache import Recall

MEETING = "meeting"
"""The family of tags that triggers drop by the meeting's id; so is `COMPANIES`, as a whole."""
COMPANIES = "companies"

MOST_DOMAINS = 200
_SEGMENTS = 40  # utterances that weigh as much as an entry of ordinary size, some 10 KB


async def recall_meeting(db: Database, recall: Recall, tenant: Tenant, meeting_id: UUID) -> Meeting:
    """As `get_meeting`, from memory when it is there. Raises `RowMissing`."""

    async def load() -> Meeting | None:
        try:
            return await get_meeting(db, tenant, meeting_id)
        except RowMissing:
            return None

    tag = f"{MEETING}:{meeting_id}"
    found = await recall.get(tenant, tag, load, tags=[tag], weigh=_weight)
    if found is None:
        raise RowMissing
    return found


async def recall_domains(db: Database, recall: Recall, tenant: Tenant) -> tuple[str, ...]:
    """The domains of the companies met last, up to `MOST_DOMAINS`."""

    async def load() -> tuple[str, ...]:
        known = await list_companies(db, tenant, Page(MOST_DOMAINS))
        return tuple(company.domain for company in known.items)

    return await recall.get(tenant, COMPANIES, load, tags=[COMPANIES]) or ()


def _weight(meeting: Meeting) -> int:
    return 1 + len(meeting.segments) // _SEGMENTS
