"""Approvals: what may leave, and who decides."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, patch, post
from litestar.params import FromPath, QueryParameter

from tidings.approvals.decisions import (
    Choice,
    Decided,
    Decision,
    cancel,
    decide,
    decide_one,
    mark_sent,
    open_by_hand,
    retry,
)
from tidings.approvals.draft import Channel, NewApproval, Type, draft
from tidings.approvals.edit import Edit, edit
from tidings.approvals.read import (
    Approval,
    ApprovalPage,
    Status,
    get_approval,
    list_approvals,
    read_approval,
)
from tidings.base.cursor import Page
from tidings.db.transaction import Transaction
from tidings.tenancy.audit import ActorKind
from tidings.web import examples
from tidings.web.answers import Answer, write
from tidings.web.documented import Idempotent, documented
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.paging import Cursor, Limit
from tidings.web.preconditions import IfMatch, etag, expected_version


class DraftRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A message to propose; `message_id` is the one that it answers."""

    type: Type
    channel: Channel
    to: str
    content: str
    subject: str = ""
    message_id: UUID | None = None
    channel_id: UUID | None = None
    reason: str = ""
    evidence: list[Any] = []
    ai_score: int | None = None
    expires_at: datetime | None = None


class RejectRequest(msgspec.Struct, frozen=True):
    """Why it is rejected."""

    reason: str = ""


class BatchRequest(msgspec.Struct, frozen=True):
    """Up to 500 approvals to decide on alike; each is decided by itself."""

    decision: Decision
    ids: list[UUID]
    reason: str = ""


class BatchAnswer(msgspec.Struct, frozen=True):
    """What became of each, in the order asked; `code` and `detail` say why one was left."""

    items: list[Decided]


@get(
    "/approvals",
    opt={"scope": "approvals"},
    responses=documented(403),
    operation_id="listApprovals",
)
async def approvals(
    access: GivenAccess,
    services: GivenServices,
    limit: Limit = 50,
    cursor: Cursor = None,
    status: Annotated[Status | None, QueryParameter(description="Only these.")] = None,
    channel: Annotated[Channel | None, QueryParameter(description="Only of this kind.")] = None,
) -> ApprovalPage:
    """Approvals, newest first. Answers in a channel are shown to its members."""
    page = Page(limit, cursor)
    return await list_approvals(services.db, access.tenant, page, status=status, channel=channel)


@post(
    "/approvals",
    status_code=201,
    opt={"scope": "approvals"},
    responses=documented(403, 404, 409, 413, 422),
    operation_id="draftApproval",
    operation_class=Idempotent,
)
async def propose(
    request: Request[Any, Any, Any],
    data: Annotated[DraftRequest, examples.DRAFT],
    access: GivenAccess,
    services: GivenServices,
) -> Response[Approval]:
    """Draft a message. It waits for a decision, unless the send policy asks for none."""
    new = NewApproval(**msgspec.structs.asdict(data))

    async def work(transaction: Transaction) -> Answer:
        made = await read_approval(transaction, draft(transaction, new))
        return Answer(made, 201, {"etag": etag(made.version)})

    return await write(request, services, access.tenant, work)


@get(
    "/approvals/{approval_id:uuid}",
    opt={"scope": "approvals"},
    responses=documented(403, 404),
    operation_id="getApproval",
)
async def approval(
    access: GivenAccess, services: GivenServices, approval_id: FromPath[UUID]
) -> Response[Approval]:
    """One approval with its attempts."""
    found = await get_approval(services.db, access.tenant, approval_id)
    return Response(found, headers={"etag": etag(found.version)})


@patch(
    "/approvals/{approval_id:uuid}",
    opt={"scope": "approvals"},
    responses=documented(403, 404, 409, 412, 413),
    operation_id="editApproval",
)
async def change(
    request: Request[Any, Any, Any],
    data: Annotated[Edit, examples.EDIT],
    access: GivenAccess,
    services: GivenServices,
    approval_id: FromPath[UUID],
    if_match: IfMatch = None,
) -> Response[Approval]:
    """Change what is proposed; an approved one is pending again, with a new digest."""
    version = expected_version(if_match)

    async def work(transaction: Transaction) -> Answer:
        after = await edit(transaction, approval_id, data, version=version, kind=access.kind)
        return Answer(after, 200, {"etag": etag(after.version)})

    return await write(request, services, access.tenant, work)


Step = Callable[[Transaction, ActorKind], Awaitable[None]]


async def _step(
    request: Request[Any, Any, Any],
    services: GivenServices,
    access: GivenAccess,
    approval_id: UUID,
    step: Step,
) -> Response[Approval]:
    """Do one step of an approval and answer with what it is then."""

    async def work(transaction: Transaction) -> Answer:
        await step(transaction, access.kind)
        after = await read_approval(transaction, approval_id)
        return Answer(after, 200, {"etag": etag(after.version)})

    return await write(request, services, access.tenant, work)


@post(
    "/approvals/{approval_id:uuid}/{action:str}",
    status_code=200,
    opt={"scope": "approvals"},
    responses=documented(403, 404, 409, 412, 413, 422),
    operation_id="moveApproval",
    operation_class=Idempotent,
)
async def move(
    request: Request[Any, Any, Any],
    access: GivenAccess,
    services: GivenServices,
    approval_id: FromPath[UUID],
    action: FromPath[Literal["approve", "cancel", "retry", "open", "sent"]],
    if_match: IfMatch = None,
) -> Response[Approval]:
    """Approve, cancel, retry; or open and mark as sent what a person sends by hand.

    A second decision is 409 and says who decided first.
    """
    version = expected_version(if_match)

    async def step(transaction: Transaction, kind: ActorKind) -> None:
        if action == "approve":
            await decide_one(transaction, "approve", Choice(approval_id, version), kind=kind)
        else:
            does = {"cancel": cancel, "retry": retry, "open": open_by_hand, "sent": mark_sent}
            await does[action](transaction, approval_id, kind=kind)

    return await _step(request, services, access, approval_id, step)


@post(
    "/approvals/{approval_id:uuid}/reject",
    status_code=200,
    opt={"scope": "approvals"},
    responses=documented(403, 404, 409, 412, 413, 422),
    operation_id="rejectApproval",
    operation_class=Idempotent,
)
async def reject(
    request: Request[Any, Any, Any],
    data: Annotated[RejectRequest, examples.REJECT],
    access: GivenAccess,
    services: GivenServices,
    approval_id: FromPath[UUID],
    if_match: IfMatch = None,
) -> Response[Approval]:
    """Reject it, with a reason. A second decision is 409 and says who decided first."""
    choice = Choice(approval_id, expected_version(if_match))

    async def step(transaction: Transaction, kind: ActorKind) -> None:
        await decide_one(transaction, "reject", choice, reason=data.reason, kind=kind)

    return await _step(request, services, access, approval_id, step)


@post(
    "/approvals/batch",
    status_code=200,
    opt={"scope": "approvals"},
    responses=documented(403, 409, 413, 422),
    operation_id="decideApprovals",
    operation_class=Idempotent,
)
async def batch(
    request: Request[Any, Any, Any],
    data: Annotated[BatchRequest, examples.DECIDE],
    access: GivenAccess,
    services: GivenServices,
) -> Response[BatchAnswer]:
    """Approve or reject many at once."""
    choices = [Choice(one) for one in data.ids]

    async def work(transaction: Transaction) -> Answer:
        items = await decide(
            transaction, data.decision, choices, reason=data.reason, kind=access.kind
        )
        return Answer(BatchAnswer(items), 200)

    return await write(request, services, access.tenant, work)


def approvals_router() -> Router:
    """Everything below `/v1/approvals`."""
    handlers = [approvals, propose, approval, change, move, reject, batch]
    return Router("/v1", route_handlers=handlers, tags=["Approvals"])
