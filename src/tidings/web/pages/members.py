"""Who belongs to the organization, and with which role."""

from typing import Any
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery

from tidings.base.cursor import decode_cursor, encode_cursor
from tidings.base.errors import FieldProblem, InputInvalid, RoleForbidden, StateConflict
from tidings.base.tenant import PERSON_ROLES, Role
from tidings.tenancy.access import Access
from tidings.tenancy.members import add_member, change_role, list_members, remove_member
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.shell import Notice, go, page
from tidings.web.services import Services

HERE = "/settings/members"
_LISTED = 50
_CURSOR = "members-page"


@get(HERE)
async def members(
    request: AnyRequest,
    access: GivenAccess,
    services: GivenServices,
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """Everybody; admins add, change and remove them."""
    return await _page(request, access, services, cursor=cursor)


@post(HERE, opt={"scope": "admin"}, status_code=303)
async def add(request: AnyRequest, access: GivenAccess, services: GivenServices) -> Response[Any]:
    """Add a person."""
    form = await request.form()
    typed = {name: str(form.get(name, "")).strip() for name in ("email", "name", "role")}
    try:
        await add_member(
            services.db,
            access.tenant,
            typed["email"],
            _role(typed["role"]),
            name=typed["name"],
            kind=access.kind,
        )
    except InputInvalid as error:
        errors = {problem.field: problem.message for problem in error.errors}
        return await _page(request, access, services, typed=typed, errors=errors)
    except (StateConflict, RoleForbidden) as error:
        return await _page(request, access, services, typed=typed, errors={"email": error.message})
    services.relay.nudge()
    said = f"{typed['email']} is a member. Let them in with: tidings sign-in-link {typed['email']}"
    return go(HERE, Notice("ok", said))


@post(f"{HERE}/{{user_id:uuid}}/role", opt={"scope": "admin"}, status_code=303)
async def change(
    request: AnyRequest, access: GivenAccess, services: GivenServices, user_id: FromPath[UUID]
) -> Response[Any]:
    """Give a member another role."""
    role = _role(str((await request.form()).get("role", "")))
    try:
        await change_role(services.db, access.tenant, user_id, role, kind=access.kind)
    except (StateConflict, RoleForbidden) as error:
        return go(HERE, Notice("error", error.message))
    services.relay.nudge()
    return go(HERE, Notice("ok", "The role is changed. It holds from the next request on."))


@post(f"{HERE}/{{user_id:uuid}}/remove", opt={"scope": "admin"}, status_code=303)
async def remove(
    access: GivenAccess, services: GivenServices, user_id: FromPath[UUID]
) -> Response[Any]:
    """Remove a member with their sessions and keys here."""
    try:
        await remove_member(services.db, access.tenant, user_id, kind=access.kind)
    except (StateConflict, RoleForbidden) as error:
        return go(HERE, Notice("error", error.message))
    services.relay.nudge()
    return go(HERE, Notice("ok", "They are no member any more, and signed out everywhere."))


async def _page(
    request: AnyRequest,
    access: Access,
    services: Services,
    *,
    cursor: str | None = None,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> Response[str]:
    after = decode_cursor(_CURSOR, cursor, UUID)
    found = await list_members(services.db, access.tenant, after=after, limit=_LISTED + 1)
    shown = found[:_LISTED]
    more = len(found) > _LISTED and encode_cursor(_CURSOR, shown[-1].user_id)
    own_rank = PERSON_ROLES.index(access.tenant.role) if access.tenant.is_admin else None
    context = {
        "form": typed or {"email": "", "name": "", "role": "member"},
        "errors": errors or {},
        # As SQL holds it: only an owner makes, changes or removes one.
        "roles": [] if own_rank is None else list(PERSON_ROLES[own_rank:]),
        "members": [
            {
                "id": member.user_id,
                "name": member.name or member.email,
                "email": member.email,
                "role": member.role,
                "joined_at": member.created_at,
                "is_you": member.user_id == access.tenant.user_id,
                "changeable": own_rank is not None and PERSON_ROLES.index(member.role) >= own_rank,
            }
            for member in shown
        ],
        "next_url": f"{HERE}?cursor={more}" if more else None,
        "first_url": HERE if cursor else None,
    }
    return page(request, "settings/members.html", context, status=400 if errors else 200)


def _role(value: str) -> Role:
    if value not in PERSON_ROLES:
        problem = FieldProblem("role", "Choose one of the offered roles.")
        raise InputInvalid(problem.message, errors=[problem])
    return value


def member_pages() -> Router:
    """The page and its forms."""
    return Router("/", route_handlers=[members, add, change, remove])
