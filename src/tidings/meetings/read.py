"""Meetings as they are shown: lists, one meeting with its transcript, companies."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from tidings.base.cursor import Page, decode_cursor, listing
from tidings.base.errors import RowMissing
from tidings.base.tenant import Tenant
from tidings.base.text import split_hits
from tidings.db.queries import load_queries
from tidings.db.transaction import Batch, Database, Pending
from tidings.meetings.capture import domain_path
from tidings.meetings.item import clock_time

sql = load_queries("tidings.meetings")

_MOST_HITS = 400
_SNIPPETS = 3


class MeetingInvitee(msgspec.Struct, frozen=True):
    """Somebody who was invited."""

    name: str
    email: str | None
    email_domain: str | None
    is_external: bool | None


class Snippet(msgspec.Struct, frozen=True):
    """An utterance that answers a search; `parts` alternate between plain text and hits."""

    segment_id: UUID
    speaker: str
    at: str | None
    parts: list[tuple[str, bool]]


class MeetingRow(msgspec.Struct, frozen=True):
    """A meeting in a list."""

    id: UUID
    source: str
    external_id: str
    title: str
    url: str | None
    share_url: str | None
    language: str
    started_at: datetime
    duration_seconds: int | None
    segments_count: int
    invitees: list[MeetingInvitee]
    snippets: list[Snippet] = []


class Segment(msgspec.Struct, frozen=True):
    """One utterance; `at` is "HH:MM:SS" from the start, None when unknown."""

    id: UUID
    speaker: str
    text: str
    at: str | None


class Meeting(msgspec.Struct, frozen=True, kw_only=True):
    """One meeting with all that is known of it."""

    id: UUID
    source: str
    external_id: str
    title: str
    url: str | None
    share_url: str | None
    language: str
    started_at: datetime
    duration_seconds: int | None
    segments_count: int
    recorded_by: str | None
    own_summary: str | None
    action_items: list[dict[str, Any]]
    created_at: datetime
    updated_at: datetime
    invitees: list[MeetingInvitee]
    segments: list[Segment]


class MeetingPage(msgspec.Struct, frozen=True):
    """One page of meetings."""

    items: list[MeetingRow]
    next_cursor: str | None


class CompanyRow(msgspec.Struct, frozen=True):
    """A company in a list."""

    domain: str
    last_meeting_at: datetime
    meetings_count: int


class CompanyPage(msgspec.Struct, frozen=True):
    """One page of companies."""

    items: list[CompanyRow]
    next_cursor: str | None


async def list_meetings(
    db: Database,
    tenant: Tenant,
    page: Page,
    *,
    domain: str | None = None,
    subdomains: bool = False,
    query: str | None = None,
) -> MeetingPage:
    """Meetings, newest first; of one company (normalised domain), or that answer a search.

    A search answers with the best meetings on one page, in the order of their best utterance.
    """
    filters = {"path": domain_path(domain) if domain else None, "subdomains": subdomains}
    kind = listing("meetings", **filters, query=query or None)
    position = decode_cursor(kind, page.cursor, tuple[datetime, UUID])
    if query:
        return await _search(db, tenant, page, query, filters)
    before_at, before_id = position or (None, None)
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(
            sql.list_meetings,
            filters
            | {
                "before_at": before_at,
                "before_id": before_id,
                "ids": None,
                "limit": page.limit + 1,
            },
        )
    rows = msgspec.convert(found.rows, list[MeetingRow])
    return MeetingPage(*page.cut(kind, rows, lambda row: [row.started_at, row.id]))


async def get_meeting(db: Database, tenant: Tenant, meeting_id: UUID) -> Meeting:
    """One meeting with its transcript. Raises `RowMissing`."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        head = batch.add(sql.get_meeting, {"id": meeting_id})
        said = batch.add(sql.get_segments, {"id": meeting_id})
    segments = [
        Segment(row["id"], row["speaker"], row["text"], at_clock(row["at_seconds"]))
        for row in said.rows
    ]
    return msgspec.convert(head.one() | {"segments": segments}, Meeting)


async def delete_meeting(db: Database, tenant: Tenant, meeting_id: UUID) -> None:
    """Remove a meeting, its transcript and its readings. Raises `RowMissing`."""
    async with db.tenant_transaction(tenant) as transaction:
        transaction.queue(sql.lock_meetings)
        removed = await transaction.optional(sql.delete_meeting, {"id": meeting_id})
        if removed is None:
            raise RowMissing("There is no such meeting here.")
        transaction.queue(sql.settle_companies, {"domains": removed["domains"]})


async def list_companies(db: Database, tenant: Tenant, page: Page) -> CompanyPage:
    """Companies that were met, latest first."""
    position = decode_cursor("companies", page.cursor, tuple[datetime, str])
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = add_companies(batch, page.limit + 1, position)
    return CompanyPage(
        *page.cut("companies", found.rows, lambda row: [row.last_meeting_at, row.domain])
    )


def add_companies(
    batch: Batch, limit: int, before: tuple[datetime, str] | None = None
) -> Pending[CompanyRow]:
    """Companies that were met, latest first, in somebody's batch; from before a given one."""
    before_at, before_domain = before or (None, None)
    params = {"before_at": before_at, "before_domain": before_domain, "limit": limit}
    return batch.add(sql.list_companies, params, row=CompanyRow)


class Stored(msgspec.Struct, frozen=True):
    """How much there is; `people` are distinct addresses."""

    meetings: int
    companies: int
    people: int
    segments: int


def add_stored(batch: Batch) -> Pending[Stored]:
    """How many meetings and companies are stored, in somebody's batch."""
    return batch.add(sql.count_stored, row=Stored)


async def _search(
    db: Database, tenant: Tenant, page: Page, query: str, filters: dict[str, Any]
) -> MeetingPage:
    async with db.tenant_transaction(tenant) as transaction:
        hits = await transaction.fetch(
            sql.search_segments,
            filters | {"query": query, "limit": _MOST_HITS},
        )
        snippets: dict[UUID, list[Snippet]] = {}
        for hit in hits:
            of_meeting = snippets.setdefault(hit["meeting_id"], [])
            if len(of_meeting) < _SNIPPETS:
                of_meeting.append(_snippet(hit))
        if not snippets:
            return MeetingPage([], None)
        rows = await transaction.fetch(
            sql.list_meetings,
            filters
            | {"before_at": None, "before_id": None, "ids": list(snippets), "limit": len(snippets)},
        )
    order = {meeting_id: place for place, meeting_id in enumerate(snippets)}
    found = [
        msgspec.convert(row | {"snippets": snippets[row["id"]]}, MeetingRow)
        for row in sorted(rows, key=lambda row: order[row["id"]])
    ]
    return MeetingPage(found[: page.limit], None)


def _snippet(hit: dict[str, Any]) -> Snippet:
    return Snippet(
        hit["segment_id"], hit["speaker"], at_clock(hit["at_seconds"]), split_hits(hit["snippet"])
    )


def at_clock(at_seconds: int | None) -> str | None:
    """Seconds as "HH:MM:SS"."""
    return None if at_seconds is None else clock_time(at_seconds)
