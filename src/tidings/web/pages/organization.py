"""The organization's settings, and its audit log."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromQuery

from tidings.base.cursor import decode_cursor, encode_cursor, listing
from tidings.base.errors import InputInvalid
from tidings.base.text import check_text
from tidings.tenancy.access import Access
from tidings.tenancy.audit import AuditEntry, list_entries, verify_own_chain
from tidings.tenancy.members import list_members
from tidings.tenancy.organizations import (
    OrganizationChange,
    read_organization,
    update_organization,
)
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.forms import field_errors
from tidings.web.pages.shell import Notice, go, page
from tidings.web.services import Services

HERE = "/settings/organization"
LOG = "/settings/audit-log"
_LISTED = 50
_NAMED = 200
"""Members whose names are looked up; others, and who has left, are shown by their ids."""
_CURSOR = "audit-page"
_NOTHING: tuple[Any, ...] = (None, "", [], {})


@get(HERE, opt={"scope": "admin"})
async def show(request: AnyRequest, access: GivenAccess, services: GivenServices) -> Response[str]:
    """Name and time zone."""
    return await _page(request, access, services)


@post(HERE, opt={"scope": "admin"}, status_code=303)
async def change(
    request: AnyRequest, access: GivenAccess, services: GivenServices
) -> Response[Any]:
    """Change name and time zone."""
    form = await request.form()
    typed = {name: str(form.get(name, "")).strip() for name in ("name", "time_zone")}
    try:
        await update_organization(
            services.db, access.tenant, OrganizationChange(**typed), kind=access.kind
        )
    except InputInvalid as error:
        errors = field_errors(error)
        return await _page(request, access, services, typed=typed, errors=errors)
    return go(HERE, Notice("ok", "Saved."))


@get(LOG, opt={"scope": "admin"})
async def audit_log(
    request: AnyRequest,
    access: GivenAccess,
    services: GivenServices,
    cursor: FromQuery[str | None] = None,
    target: FromQuery[str] = "",
    verify: FromQuery[str] = "",
) -> Response[str]:
    """What was done and by whom; `verify` recomputes the chain."""
    target = check_text("target", target.strip(), longest=1024)
    of = listing(_CURSOR, target=target or None)
    before = decode_cursor(of, cursor, UUID)
    found = await list_entries(
        services.db, access.tenant, target=target or None, before=before, limit=_LISTED + 1
    )
    members = await list_members(services.db, access.tenant, limit=_NAMED)
    names = {member.user_id: member.name or member.email for member in members}
    report = await verify_own_chain(services.db, access.tenant) if verify else None
    more = len(found) > _LISTED and encode_cursor(of, found[_LISTED - 1].id)
    context = {
        "entries": [_entry(entry, names) for entry in found[:_LISTED]],
        "target": target,
        "report": report,
        "head": report.head.hex() if report else "",
        "cursor": more or None,
        "is_first": cursor is None,
    }
    return page(request, "settings/audit_log.html", context)


def _entry(entry: AuditEntry, names: Mapping[UUID, str]) -> dict[str, Any]:
    payload, actor = entry.payload, entry.actor_user_id
    return {
        "at": entry.at,
        "action": entry.action,
        "target": entry.target,
        "actor_kind": entry.actor_kind,
        "actor": actor and names.get(actor, str(actor)),
        "details": None if payload is None else _details(payload),
        "seal": entry.seal,
    }


def _details(payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, ", ".join(map(str, value)) if isinstance(value, list) else str(value))
        for name, value in payload.items()
        if value not in _NOTHING
    ]


async def _page(
    request: AnyRequest,
    access: Access,
    services: Services,
    *,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> Response[str]:
    found = await read_organization(services.db, access.tenant)
    context = {
        "settings": found,
        "form": typed or {"name": found.name, "time_zone": found.time_zone},
        "errors": errors or {},
    }
    return page(request, "settings/organization.html", context, status=400 if errors else 200)


def organization_pages() -> Router:
    """Settings and audit log."""
    return Router("/", route_handlers=[show, change, audit_log])
