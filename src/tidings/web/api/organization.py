"""An organization over HTTP: its settings, its members, one's own sessions, the audit log."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post
from litestar.params import FromPath, QueryParameter

from tidings.base.cursor import Page, decode_cursor, encode_cursor, listing
from tidings.base.tenant import Role
from tidings.base.text import check_text
from tidings.tenancy.audit import AuditEntry, list_entries, verify_own_chain
from tidings.tenancy.members import Member, add_member, change_role, list_members, remove_member
from tidings.tenancy.organizations import (
    Organization,
    OrganizationChange,
    read_organization,
    update_organization,
)
from tidings.tenancy.sessions import Session, list_sessions, revoke_session
from tidings.web import examples
from tidings.web.answers import Answer, keep
from tidings.web.api.member_export import export_member
from tidings.web.documented import Idempotent, documented
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.paging import Cursor, Limit


class MemberRequest(msgspec.Struct, frozen=True):
    """Somebody to add; they sign in by a link that the operator makes."""

    email: str
    role: Role = "member"
    name: str = ""


class RoleRequest(msgspec.Struct, frozen=True):
    """The role that a member gets."""

    role: Role


class MemberAnswer(msgspec.Struct, frozen=True):
    """A member and their role now."""

    user_id: UUID
    role: Role


class MemberPage(msgspec.Struct, frozen=True):
    """One page of members."""

    items: list[Member]
    next_cursor: str | None


class AuditPage(msgspec.Struct, frozen=True):
    """One page of the audit log."""

    items: list[AuditEntry]
    next_cursor: str | None


class Verification(msgspec.Struct, frozen=True):
    """What recomputing the chain found; keep `head` to notice later that its end was cut off."""

    intact: bool
    seals: int
    entries: int
    unsealed: int
    broken_at: int | None
    problem: str | None
    head: str


class SessionList(msgspec.Struct, frozen=True):
    """Where one is signed in."""

    items: list[Session]


@get(
    "/organization",
    opt={"scope": "engagement"},
    responses=documented(403),
    operation_id="getOrganization",
)
async def organization(access: GivenAccess, services: GivenServices) -> Organization:
    """Name, time zone and slug."""
    return await read_organization(services.db, access.tenant)


@patch(
    "/organization",
    opt={"scope": "admin"},
    responses=documented(403, 413),
    operation_id="changeOrganization",
)
async def change_organization(
    data: Annotated[OrganizationChange, examples.ORGANIZATION],
    access: GivenAccess,
    services: GivenServices,
) -> Organization:
    """Change name or time zone; budgets and reports of days follow the time zone."""
    return await update_organization(services.db, access.tenant, data, kind=access.kind)


@get("/members", opt={"scope": "engagement"}, responses=documented(403), operation_id="listMembers")
async def members(
    access: GivenAccess, services: GivenServices, limit: Limit = 50, cursor: Cursor = None
) -> MemberPage:
    """Who belongs to the organization, in the order of their ids."""
    page = Page(limit, cursor)
    after = decode_cursor("members", page.cursor, UUID)
    found = await list_members(services.db, access.tenant, after=after, limit=limit + 1)
    items = found[:limit]
    more = encode_cursor("members", items[-1].user_id) if len(found) > limit else None
    return MemberPage(items, more)


@post(
    "/members",
    status_code=201,
    opt={"scope": "admin"},
    responses=documented(403, 409, 413, 422),
    operation_id="addMember",
    operation_class=Idempotent,
)
async def add(
    request: Request[Any, Any, Any],
    data: Annotated[MemberRequest, examples.MEMBER],
    access: GivenAccess,
    services: GivenServices,
) -> Response[MemberAnswer]:
    """Add a person, known or new; only an owner adds an owner."""
    user_id = await add_member(
        services.db, access.tenant, data.email, data.role, name=data.name, kind=access.kind
    )
    services.relay.nudge()
    return await keep(request, services, Answer(MemberAnswer(user_id, data.role), 201))


@patch(
    "/members/{user_id:uuid}",
    opt={"scope": "admin"},
    responses=documented(403, 404, 409, 413),
    operation_id="changeMemberRole",
)
async def change_member(
    data: Annotated[RoleRequest, examples.ROLE],
    access: GivenAccess,
    services: GivenServices,
    user_id: FromPath[UUID],
) -> MemberAnswer:
    """Give another role, felt by the next request of every session and key; an owner stays."""
    await change_role(services.db, access.tenant, user_id, data.role, kind=access.kind)
    services.relay.nudge()
    return MemberAnswer(user_id, data.role)


@delete(
    "/members/{user_id:uuid}",
    opt={"scope": "admin"},
    responses=documented(403, 404, 409),
    operation_id="removeMember",
)
async def remove(access: GivenAccess, services: GivenServices, user_id: FromPath[UUID]) -> None:
    """Remove a member with their sessions and keys here; live connections end at once."""
    await remove_member(services.db, access.tenant, user_id, kind=access.kind)
    services.relay.nudge()


@get(
    "/sessions",
    opt={"scope": "engagement"},
    responses=documented(403),
    operation_id="listSessions",
)
async def sessions(access: GivenAccess, services: GivenServices) -> SessionList:
    """One's own sessions here that still work, the last used first."""
    return SessionList(await list_sessions(services.db, access.tenant, access.tenant.user_id))


@delete(
    "/sessions/{web_session_id:uuid}",
    opt={"scope": "engagement", "own": True},
    responses=documented(403, 404),
    operation_id="endSession",
)
async def end_session(
    access: GivenAccess, services: GivenServices, web_session_id: FromPath[UUID]
) -> None:
    """End a session of one's own, or as an admin anybody's here."""
    await revoke_session(services.db, access.tenant, web_session_id, kind=access.kind)
    services.relay.nudge()


@get("/audit-log", opt={"scope": "admin"}, responses=documented(403), operation_id="listAuditLog")
async def audit_log(
    access: GivenAccess,
    services: GivenServices,
    limit: Limit = 50,
    cursor: Cursor = None,
    target: Annotated[
        str | None,
        QueryParameter(max_length=1024, description="Only about this, such as `user:ID`."),
    ] = None,
) -> AuditPage:
    """What was done and by whom, newest first."""
    page = Page(limit, cursor)
    wanted = check_text("target", target) if target else None
    of = listing("audit-log", target=wanted)
    before = decode_cursor(of, page.cursor, UUID)
    found = await list_entries(
        services.db, access.tenant, target=wanted, before=before, limit=limit + 1
    )
    items = found[:limit]
    more = encode_cursor(of, items[-1].id) if len(found) > limit else None
    return AuditPage(items, more)


@get(
    "/audit-log/verification",
    opt={"scope": "admin"},
    responses=documented(403),
    operation_id="verifyAuditLog",
)
async def verification(access: GivenAccess, services: GivenServices) -> Verification:
    """Recompute the chain of the audit log: whether it is intact, and if not where and why."""
    report = await verify_own_chain(services.db, access.tenant)
    return Verification(**(msgspec.structs.asdict(report) | {"head": report.head.hex()}))


def organization_router() -> Router:
    """Organization, members, sessions and audit log."""
    return Router(
        "/v1",
        route_handlers=[
            organization,
            change_organization,
            members,
            add,
            change_member,
            remove,
            export_member,
            sessions,
            end_session,
            audit_log,
            verification,
        ],
        tags=["Organization"],
    )
