"""The send policy and do-not-contact."""

from typing import Any, get_args

from litestar import Response, Router, get, post
from litestar.params import FromQuery

from tidings.approvals.do_not_contact import add_entry, list_entries, remove_entry
from tidings.approvals.draft import Channel
from tidings.approvals.policy import (
    NO_LIMIT,
    Automation,
    Guard,
    Limit,
    PolicyChange,
    SendPolicy,
    change_policy,
    get_policy,
)
from tidings.base.cursor import Page
from tidings.base.errors import FieldProblem, InputInvalid, VersionStale
from tidings.tenancy.access import Access
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.forms import field_errors, version_of
from tidings.web.pages.shell import Notice, go, page
from tidings.web.services import Services

HERE = "/settings/sending"
_LISTED = 25
_UNTICKED = dict.fromkeys(("approval_required", "replies_any_hour", "replies_only"), "")
_FIELDS = ("per_hour", "per_day", "gap_seconds")


@get(HERE)
async def show(
    request: AnyRequest,
    access: GivenAccess,
    services: GivenServices,
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """The policy, which admins change, and whom nothing is sent to."""
    return await _page(request, access, services, cursor=cursor)


@post(HERE, opt={"scope": "admin"}, status_code=303)
async def change(
    request: AnyRequest, access: GivenAccess, services: GivenServices
) -> Response[Any]:
    """Change the policy as it was shown."""
    form = await request.form()
    typed = {name: str(value).strip() for name, value in form.items() if isinstance(value, str)}
    guarded = [str(value) for value in form.getall("guarded", [])]
    try:
        wanted = _change(typed, guarded)
        async with services.db.tenant_transaction(access.tenant) as transaction:
            await change_policy(
                transaction,
                wanted,
                version=version_of(typed),
                kind=access.kind,
            )
    except InputInvalid as error:
        errors = field_errors(error)
        return await _page(request, access, services, typed=typed, guarded=guarded, errors=errors)
    except VersionStale as error:
        return go(HERE, Notice("error", error.message))
    return go(HERE, Notice("ok", "Saved. It holds from the next send on."))


@post("/settings/do-not-contact", status_code=303)
async def add(request: AnyRequest, access: GivenAccess, services: GivenServices) -> Response[Any]:
    """Put somebody on do-not-contact."""
    form = await request.form()
    typed = {name: str(form.get(name, "")).strip() for name in ("kind", "value", "reason")}
    try:
        async with services.db.tenant_transaction(access.tenant) as transaction:
            entry, is_new = await add_entry(
                transaction, typed["kind"], typed["value"], typed["reason"], kind=access.kind
            )
    except InputInvalid as error:
        errors = {f"entry_{one.field}": one.message for one in error.errors}
        errors.setdefault("entry_value", error.message)
        return await _page(request, access, services, entry=typed, errors=errors)
    said = (
        f"Nothing is sent to {entry.value} any more." if is_new else "It was on the list already."
    )
    return go(HERE, Notice("ok", said))


@post("/settings/do-not-contact/remove", opt={"scope": "admin"}, status_code=303)
async def remove(
    request: AnyRequest, access: GivenAccess, services: GivenServices
) -> Response[Any]:
    """Let somebody be written to again."""
    form = await request.form()
    kind, value = str(form.get("kind", "")), str(form.get("value", ""))
    async with services.db.tenant_transaction(access.tenant) as transaction:
        await remove_entry(transaction, kind, value, kind=access.kind)
    return go(HERE, Notice("ok", f"{value} may be written to again."))


async def _page(
    request: AnyRequest,
    access: Access,
    services: Services,
    *,
    cursor: str | None = None,
    typed: dict[str, str] | None = None,
    guarded: list[str] | None = None,
    entry: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> Response[str]:
    policy = await get_policy(services.db, access.tenant)
    found = await list_entries(services.db, access.tenant, Page(_LISTED, cursor))
    context = {
        "policy": policy,
        "form": _form(policy) | (_UNTICKED | typed if typed else {}),
        "guarded": (policy.guard.channels or []) if guarded is None else guarded,
        "limits": [_limit(policy, channel, typed or {}) for channel in get_args(Channel)],
        "entry": entry or {"kind": "email", "value": "", "reason": ""},
        "errors": errors or {},
        "entries": found.items,
        "next_url": f"{HERE}?cursor={found.next_cursor}" if found.next_cursor else None,
        "first_url": HERE if cursor else None,
    }
    return page(request, "settings/sending.html", context, status=400 if errors else 200)


def _form(policy: SendPolicy) -> dict[str, str]:
    score = policy.guard.least_score
    return {
        "automation": policy.automation,
        "approval_required": "on" if policy.approval_required else "",
        "replies_any_hour": "on" if policy.replies_any_hour else "",
        "daily_cap": str(policy.daily_cap),
        "hours_start": policy.hours_start,
        "hours_end": policy.hours_end,
        "replies_only": "on" if policy.guard.replies_only else "",
        "least_score": "" if score is None else str(score),
    }


def _limit(policy: SendPolicy, channel: str, typed: dict[str, str]) -> dict[str, str]:
    limit = policy.limits.get(channel)
    return {"channel": channel} | {
        name: typed.get(f"{channel}.{name}", "" if limit is None else _shown(getattr(limit, name)))
        for name in _FIELDS
    }


def _shown(number: int) -> str:
    return "" if number == NO_LIMIT else str(number)


def _change(typed: dict[str, str], guarded: list[str]) -> PolicyChange:
    """The form as a change. Raises `InputInvalid`."""
    automation = typed.get("automation", "")
    if automation not in get_args(Automation):
        problem = FieldProblem("automation", "Choose one of the four.")
        raise InputInvalid("automation must be one of the four.", errors=[problem])
    limits = {}
    for channel in get_args(Channel):
        given = [typed.get(f"{channel}.{name}", "") for name in _FIELDS]
        if any(given):
            hour, day, gap = (
                _number(f"limits.{channel}", value) if value else None for value in given
            )
            limits[channel] = Limit(
                NO_LIMIT if hour is None else hour, NO_LIMIT if day is None else day, gap or 0
            )
    score = typed.get("least_score", "")
    return PolicyChange(
        automation=automation,  # type: ignore[arg-type]
        approval_required=typed.get("approval_required") == "on",
        replies_any_hour=typed.get("replies_any_hour") == "on",
        daily_cap=_number("daily_cap", typed.get("daily_cap", "")),
        hours_start=typed.get("hours_start", ""),
        hours_end=typed.get("hours_end", ""),
        guard=Guard(
            channels=guarded or None,
            replies_only=True if typed.get("replies_only") == "on" else None,
            least_score=_number("least_score", score) if score else None,
        ),
        limits=limits,
    )


def _number(field: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise InputInvalid.of(field, "must be a whole number")
    return int(value)


def sending_pages() -> Router:
    """The page and its forms."""
    return Router("/", route_handlers=[show, change, add, remove])
