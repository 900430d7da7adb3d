"""Meetings: list and search, one with its transcript, upload."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, FromQuery

from tidings.base import clock
from tidings.base.cursor import Page
from tidings.base.errors import DomainInvalid, InputInvalid, TidingsError
from tidings.base.text import check_text
from tidings.meetings.capture import capture
from tidings.meetings.domains import normalise_domain
from tidings.meetings.formats import FileDefaults, read_file
from tidings.meetings.read import (
    Meeting,
    MeetingInvitee,
    MeetingRow,
    list_meetings,
)
from tidings.meetings.recalled import COMPANIES, MEETING, recall_domains, recall_meeting
from tidings.tenancy.access import Access
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.shell import page
from tidings.web.services import LARGE_BODY, Services

_LINE = re.compile(r"\bline (\d+)\b")


@get("/meetings")
async def meetings(
    request: AnyRequest,
    access: GivenAccess,
    services: GivenServices,
    q: FromQuery[str] = "",
    domain: FromQuery[str] = "",
    subdomains: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """Meetings, newest first; with `q` those in which it was said."""
    errors: dict[str, str] = {}
    wanted = None
    try:
        wanted = normalise_domain(domain) if domain.strip() else None
        check_text("q", q, longest=1000)
    except DomainInvalid as error:
        errors["domain"] = error.message
    except InputInvalid as error:
        errors["q"] = error.message
    query = q.strip() or None
    known = await recall_domains(services.db, services.recall, access.tenant)
    context: dict[str, Any] = {
        "q": q,
        "domain": wanted or domain,
        "subdomains": bool(subdomains),
        "errors": errors,
        "domains": known,
        "meetings": [],
        "total": None,
        "next_url": None,
        "first_url": None,
    }
    if not errors:
        found = await list_meetings(
            services.db,
            access.tenant,
            Page(50, cursor),
            domain=wanted,
            subdomains=bool(subdomains),
            query=query,
        )
        filters = f"&domain={wanted}" if wanted else ""
        filters += "&subdomains=1" if subdomains else ""
        context["meetings"] = [_row(row) for row in found.items]
        context["total"] = len(found.items) if query else None
        if found.next_cursor:
            context["next_url"] = f"/meetings?cursor={found.next_cursor}{filters}"
        if cursor:
            context["first_url"] = f"/meetings?{filters.lstrip('&')}"
    return page(request, "meetings/list.html", context, status=400 if errors else 200)


@get("/meetings/{meeting_id:uuid}")
async def meeting(
    request: AnyRequest,
    access: GivenAccess,
    services: GivenServices,
    meeting_id: FromPath[UUID],
    q: FromQuery[str] = "",
) -> Response[str]:
    """One meeting with its transcript."""
    found = await recall_meeting(services.db, services.recall, access.tenant, meeting_id)
    marked = [(segment, mark(segment.text, q)) for segment in found.segments]
    segments = [
        {
            "id": segment.id,
            "speaker": segment.speaker,
            "offset": segment.at,
            "url": _playback(found, segment.at),
            "parts": parts,
        }
        for segment, parts in marked
    ]
    hits = [
        {"segment_id": segment.id, "offset": segment.at}
        for segment, parts in marked
        if any(is_hit for _, is_hit in parts)
    ]
    context = {"meeting": _whole(found), "segments": segments, "q": q, "hits": hits}
    return page(request, "meetings/show.html", context)


@get("/meetings/upload")
async def upload_form(request: AnyRequest) -> Response[str]:
    """The form."""
    return _upload_page(request, None)


@post("/meetings/upload", status_code=200, request_max_body_size=LARGE_BODY)
async def upload(
    request: AnyRequest, access: GivenAccess, services: GivenServices
) -> Response[str]:
    """Take in transcripts; a bad file is named with its line and the good ones are kept."""
    form = await request.form()
    files = [file for file in form.getall("files", []) if isinstance(file, UploadFile)]
    files = [file for file in files if file.filename]
    typed = {name: str(form.get(name, "")).strip() for name in ("company", "date")}
    errors: dict[str, str] = {}
    if not files:
        errors["files"] = "Choose at least one file."
    try:
        company = normalise_domain(typed["company"]) if typed["company"] else None
    except DomainInvalid as error:
        errors["company"] = error.message
    try:
        date = datetime.fromisoformat(typed["date"]) if typed["date"] else clock.now()
    except ValueError:
        errors["date"] = "Send a day such as 2026-11-21."
    if errors:
        return _upload_page(request, None, typed, errors)
    known = FileDefaults(date=date.replace(tzinfo=date.tzinfo or UTC), company=company)
    results = [await _take(services, access, file, known) for file in files]
    services.changed(access.tenant.organization_id, MEETING, COMPANIES)
    return _upload_page(request, results, typed)


async def _take(
    services: Services, access: Access, file: UploadFile, known: FileDefaults
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "name": file.filename,
        "created": 0,
        "updated": 0,
        "unchanged": 0,
        "nameless": 0,
        "errors": [],
    }
    try:
        items = read_file(file.filename, await file.read(), known)
        taken = await capture(services.db, access.tenant, "file", items)
    except TidingsError as error:
        line = _LINE.search(error.message)
        result["errors"] = [{"line": int(line[1]) if line else None, "message": error.message}]
        return result
    return result | {
        "created": taken.created,
        "updated": taken.updated,
        "unchanged": taken.unchanged,
        "nameless": sum(not item.names_company for item in items),
    }


def _upload_page(
    request: AnyRequest,
    results: list[dict[str, Any]] | None,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> Response[str]:
    context = {
        "form": typed or {"company": "", "date": ""},
        "errors": errors or {},
        "limit_mib": LARGE_BODY // 2**20,
        "results": results,
    }
    return page(request, "meetings/upload.html", context, status=400 if errors else 200)


def mark(text: str, query: str) -> list[tuple[str, bool]]:
    """A text as (part, is a hit) for the words of a query, whole or as beginnings of words."""
    words = [re.escape(word) for word in re.findall(r"\w+", query)]
    if not words:
        return [(text, False)]
    pattern = re.compile(rf"(\b(?:{'|'.join(words)})\w*)", re.IGNORECASE)
    parts = pattern.split(text)
    return [(part, place % 2 == 1) for place, part in enumerate(parts) if part]


def _row(row: MeetingRow) -> dict[str, Any]:
    outside = _outside(row.invitees)
    return {
        "id": row.id,
        "title": row.title,
        "at": row.started_at,
        "domain": outside[0].email_domain if outside else None,
        "company": outside[0].email_domain if outside else None,
        "people": [i.name or i.email for i in outside if i.name or i.email],
        "minutes": None if row.duration_seconds is None else row.duration_seconds // 60,
        "segments": row.segments_count,
        "hits": len(row.snippets),
        "snippets": [
            {
                "segment_id": snippet.segment_id,
                "speaker": snippet.speaker,
                "offset": snippet.at,
                "parts": snippet.parts,
            }
            for snippet in row.snippets
        ],
    }


def _whole(found: Meeting) -> dict[str, Any]:
    domains = dict.fromkeys(i.email_domain for i in _outside(found.invitees) if i.email_domain)
    return {
        "id": found.id,
        "title": found.title,
        "at": found.started_at,
        "minutes": None if found.duration_seconds is None else found.duration_seconds // 60,
        "source": found.source,
        "url": found.share_url or found.url,
        "companies": [{"domain": domain, "name": domain} for domain in domains],
        "invitees": [
            {"name": i.name, "email": i.email or "", "is_external": i.is_external is not False}
            for i in found.invitees
        ],
        "summary": found.own_summary,
        "action_items": [
            {
                "text": item["description"],
                "completed": item["completed"],
                "assignee": item["assignee"],
                "url": item["url"],
            }
            for item in found.action_items
        ],
    }


def _outside(invitees: Sequence[MeetingInvitee]) -> list[MeetingInvitee]:
    return [invitee for invitee in invitees if invitee.is_external is not False]


def _playback(found: Meeting, offset: str | None) -> str | None:
    address = found.share_url or found.url
    if address is None or offset is None:
        return None
    hours, minutes, seconds = (int(part) for part in offset.split(":"))
    at = hours * 3600 + minutes * 60 + seconds
    return f"{address}{'&' if '?' in address else '?'}timestamp={at}"


def meetings_pages() -> Router:
    """Meetings."""
    return Router("/", route_handlers=[meetings, meeting, upload_form, upload])
