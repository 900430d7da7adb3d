"""Meetings in and out."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.params import FromPath, QueryParameter

from tidings.base.cursor import Page
from tidings.base.errors import FieldProblem, InputInvalid
from tidings.base.text import check_text
from tidings.db.transaction import Transaction
from tidings.meetings.capture import MOST_ITEMS, Captured, capture_in, decode_items
from tidings.meetings.domains import normalise_domain
from tidings.meetings.read import (
    Meeting,
    MeetingPage,
    delete_meeting,
    list_meetings,
)
from tidings.meetings.recalled import COMPANIES, MEETING, recall_meeting
from tidings.web import examples
from tidings.web.answers import Answer, write
from tidings.web.documented import Idempotent, documented
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.paging import Cursor, Limit
from tidings.web.services import LARGE_BODY


class CaptureRequest(msgspec.Struct, frozen=True):
    """Meetings in Fathom's item shape, up to 200; each is checked by itself."""

    items: list[Any]
    source: Literal["api", "fathom"] = "api"


@post(
    "/meetings",
    status_code=200,
    opt={"scope": "meetings"},
    request_max_body_size=LARGE_BODY,
    responses=documented(403, 409, 413, 422),
    operation_id="captureMeetings",
    operation_class=Idempotent,
)
async def capture_meetings(
    request: Request[Any, Any, Any],
    data: Annotated[CaptureRequest, examples.CAPTURE],
    access: GivenAccess,
    services: GivenServices,
) -> Response[Captured]:
    """Store meetings by (source, recording_id); a repeat changes nothing."""
    if len(data.items) > MOST_ITEMS:
        raise InputInvalid(
            f"Send at most {MOST_ITEMS} items at once.",
            errors=[FieldProblem("items", f"has {len(data.items)} items")],
        )
    items, errors = decode_items(data.items)

    async def work(transaction: Transaction) -> Answer:
        captured = await capture_in(transaction, data.source, items)
        return Answer(msgspec.structs.replace(captured, errors=errors), 200)

    answer = await write(request, services, access.tenant, work)
    services.changed(access.tenant.organization_id, MEETING, COMPANIES)
    return answer


@get(
    "/meetings",
    opt={"scope": "meetings"},
    responses=documented(403),
    operation_id="listMeetings",
)
async def meetings(
    access: GivenAccess,
    services: GivenServices,
    limit: Limit = 50,
    cursor: Cursor = None,
    domain: Annotated[
        str | None, QueryParameter(description="Only meetings with this company.")
    ] = None,
    include_subdomains: Annotated[
        bool, QueryParameter(description="With `domain`: those with its subdomains too.")
    ] = False,
    q: Annotated[
        str | None, QueryParameter(max_length=1000, description="Words to find in what was said.")
    ] = None,
) -> MeetingPage:
    """Meetings, newest first; with `q` those in which it was said, best first."""
    return await list_meetings(
        services.db,
        access.tenant,
        Page(limit, cursor),
        domain=normalise_domain(domain) if domain else None,
        subdomains=include_subdomains,
        query=check_text("q", q) if q else None,
    )


@get(
    "/meetings/{meeting_id:uuid}",
    opt={"scope": "meetings"},
    responses=documented(403, 404),
    operation_id="getMeeting",
)
async def meeting(
    access: GivenAccess, services: GivenServices, meeting_id: FromPath[UUID]
) -> Meeting:
    """One meeting with its transcript."""
    return await recall_meeting(services.db, services.recall, access.tenant, meeting_id)


@delete(
    "/meetings/{meeting_id:uuid}",
    opt={"scope": "meetings"},
    responses=documented(403, 404),
    operation_id="deleteMeeting",
)
async def remove(access: GivenAccess, services: GivenServices, meeting_id: FromPath[UUID]) -> None:
    """Remove a meeting with its transcript and readings; summaries keep their quotes."""
    await delete_meeting(services.db, access.tenant, meeting_id)
    services.changed(access.tenant.organization_id, MEETING, COMPANIES)


def meetings_router() -> Router:
    """Everything below `/v1/meetings`."""
    return Router(
        "/v1", route_handlers=[capture_meetings, meetings, meeting, remove], tags=["Meetings"]
    )
