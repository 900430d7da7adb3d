"""API keys."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery

from tidings.base import clock
from tidings.base.cursor import decode_cursor, encode_cursor
from tidings.base.errors import InputInvalid
from tidings.base.tenant import PERSON_ROLES, Role
from tidings.tenancy.access import Access
from tidings.tenancy.api_keys import issue_key, list_keys, revoke_key
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.forms import field_errors
from tidings.web.pages.shell import Notice, go, page
from tidings.web.services import Services

_DAYS = ("", "30", "90", "365")
_LISTED = 50
_HERE = "/settings/api-keys"
_CURSOR = "api-keys-page"


@get(_HERE)
async def api_keys(
    request: AnyRequest,
    access: GivenAccess,
    services: GivenServices,
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """Your keys, or for admins everybody's."""
    return await _keys_page(request, access, services, cursor=cursor)


@post(_HERE, opt={"own": True}, status_code=200)
async def issue(request: AnyRequest, access: GivenAccess, services: GivenServices) -> Response[str]:
    """Make a key and show it this once."""
    form = await request.form()
    typed = {name: str(form.get(name, "")) for name in ("name", "role", "days")}
    errors: dict[str, str] = {}
    if typed["days"] not in _DAYS:
        errors["days"] = "Choose one of the offered lifetimes."
    if typed["role"] not in _roles(access):
        errors["role"] = "Choose the least role that what uses it needs."
    if not typed["name"].strip():
        errors["name"] = "Give it a name that says what uses it."
    if errors:
        return await _keys_page(request, access, services, typed, errors, status=400)
    role: Role = typed["role"]  # type: ignore[assignment]
    days = timedelta(days=int(typed["days"])) if typed["days"] else None
    try:
        issued = await issue_key(
            services.db,
            access.tenant,
            typed["name"],
            role=role,
            expires_at=clock.now() + days if days else None,
        )
    except InputInvalid as error:
        errors = field_errors(error)
        return await _keys_page(request, access, services, typed, errors, status=400)
    created = {"name": typed["name"], "secret": issued.key}
    return await _keys_page(request, access, services, created=created)


@post(f"{_HERE}/{{key_id:uuid}}/revoke", opt={"own": True}, status_code=303)
async def revoke(
    access: GivenAccess, services: GivenServices, key_id: FromPath[UUID]
) -> Response[Any]:
    """End a key."""
    await revoke_key(services.db, access.tenant, key_id)
    return go(_HERE, Notice("ok", "The key is revoked."))


async def _keys_page(
    request: AnyRequest,
    access: Access,
    services: Services,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    *,
    cursor: str | None = None,
    created: dict[str, str] | None = None,
    status: int = 200,
) -> Response[str]:
    after = decode_cursor(_CURSOR, cursor, UUID)
    found = await list_keys(services.db, access.tenant, after=after, limit=_LISTED + 1)
    shown = found[:_LISTED]
    more = len(found) > _LISTED and encode_cursor(_CURSOR, shown[-1].id)
    context = {
        "created": created,
        # Nobody gets a key that may all that they may by looking away: the role is chosen.
        "form": typed or {"name": "", "role": "", "days": "90"},
        "errors": errors or {},
        "roles": _roles(access),
        "api_keys": shown,
        "next_url": f"{_HERE}?cursor={more}" if more else None,
        "first_url": _HERE if cursor else None,
    }
    return page(request, "settings/api_keys.html", context, status=status)


def _roles(access: Access) -> list[str]:
    """The roles that somebody may give, the least first: those up to their own."""
    return list(reversed(PERSON_ROLES[PERSON_ROLES.index(access.tenant.role) :]))


def settings_router() -> Router:
    """API keys."""
    return Router("/", route_handlers=[api_keys, issue, revoke])
