"""A company as a whole: its people, its meetings, its summaries so far."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec

from tidings.base.errors import RowMissing
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Batch, Database, Pending, Row
from tidings.engagement.matching import Matched, Reader, match
from tidings.engagement.record import Changes, Record, SummaryPerson
from tidings.meetings.domains import normalise_domain

sql = load_queries("tidings.engagement")

HISTORY = 50
_NOBODY = Reader("", "")


class CompanyMeeting(msgspec.Struct, frozen=True):
    """A meeting on the company's timeline."""

    id: UUID
    title: str
    started_at: datetime
    stored_at: datetime
    duration_seconds: int | None
    url: str | None


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A run of the company without its summary."""

    run_id: UUID
    status: str
    engine: str
    error: str | None
    created_at: datetime
    completed_at: datetime | None = None


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known of a company."""

    domain: str
    subdomains: bool
    meetings_count: int
    people: list[SummaryPerson]
    meetings: list[CompanyMeeting]
    latest: Record | None
    history: list[HistoryEntry]
    changes: Changes

    def before(self, run_id: UUID) -> datetime | None:
        """When the complete run before this one began; None when there was none."""
        # Newest first; ids of runs rise with time.
        for entry in self.history:
            if entry.status == "complete" and entry.run_id < run_id:
                return entry.created_at
        return None


class CompanyState(msgspec.Struct, frozen=True):
    """How the newest summary of a company stands."""

    status: str
    run_id: UUID
    updated_at: datetime


async def get_company(db: Database, tenant: Tenant, domain: str) -> Company:
    """A company by its domain in any spelling. Raises `RowMissing` when nothing is known of it."""
    company = await find_company(db, tenant, normalise_domain(domain))
    if not company.meetings and not company.history:
        raise RowMissing(f"No meetings and no summaries with {company.domain} are stored here.")
    return company


async def find_company(db: Database, tenant: Tenant, domain: str) -> Company:
    """What is known of a normalised domain, which may be nothing.

    With the meetings of its subdomains when the newest summary was made of them too.
    """
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        newest = batch.add(sql.latest_complete, {"domain": domain, "before": None})
        runs = batch.add(sql.list_records, {"domain": domain, "limit": HISTORY})
    row = newest.optional()
    latest = msgspec.convert(row["record"], Record) if row else None
    subdomains = latest is not None and latest.include_subdomains
    meetings, people = await match(db, tenant, domain, _NOBODY, subdomains=subdomains)
    return Company(
        domain=domain,
        subdomains=subdomains,
        meetings_count=len(meetings),
        people=people,
        meetings=[_timeline(meeting) for meeting in meetings],
        latest=latest,
        history=[msgspec.convert(run["record"], HistoryEntry) for run in runs.rows],
        changes=latest.summary.changes if latest and latest.summary else Changes(),
    )


async def company_states(
    db: Database, tenant: Tenant, domains: list[str]
) -> dict[str, CompanyState]:
    """For each domain that was ever summarised, its newest run."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.summary_states, {"domains": domains, "latest": 0})
    return _states(found)


def add_latest_states(batch: Batch, most: int) -> Callable[[], dict[str, CompanyState]]:
    """As `company_states` for the companies met last, in somebody's batch.

    Call what is returned when it has ended.
    """
    found = batch.add(sql.summary_states, {"domains": None, "latest": most})
    return lambda: _states(found)


def _states(found: Pending[Row]) -> dict[str, CompanyState]:
    return {row["domain"]: msgspec.convert(row, CompanyState) for row in found.rows}


def _timeline(meeting: Matched) -> CompanyMeeting:
    return CompanyMeeting(
        meeting.id,
        meeting.title,
        meeting.started_at,
        meeting.stored_at,
        meeting.duration_seconds,
        meeting.share_url or meeting.url,
    )
