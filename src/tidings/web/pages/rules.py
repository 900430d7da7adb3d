"""The rule manager: a person's auto-responses, tried on recent messages, and what they did."""

from typing import Any, get_args
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery

from tidings.base.cursor import MOST, Page
from tidings.base.errors import InputInvalid, StateConflict, VersionStale
from tidings.messages.channels import Channel, list_channels
from tidings.replies.decide import SENTENCES
from tidings.replies.explain import try_recent
from tidings.replies.report import Outcome, read_analytics, read_log
from tidings.replies.rules import (
    create_rule,
    delete_rule,
    get_rule,
    list_rules,
    reorder_rules,
    replace_rule,
    switch_rule,
)
from tidings.tenancy.access import Access
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages import rule_form
from tidings.web.pages.forms import read_form, to_uuid, whole_number
from tidings.web.pages.shell import Notice, go, page
from tidings.web.services import Services

_SHOWN = 50
_DAYS = 30
_TIMES = ("7", "30", "90", "365")
_CHANGED = Notice("error", "Rules were made or removed meanwhile. This is how they are now.")


@get("/rules")
async def rules(request: AnyRequest, access: GivenAccess, services: GivenServices) -> Response[str]:
    """Your rules in the order in which they are tried."""
    found = await list_rules(services.db, access.tenant)
    channels = {channel.id: channel.name for channel in await _channels(access, services)}
    context = {
        "rules": [
            {
                "id": str(rule.id),
                "name": rule.name,
                "rule_type": rule_form.TYPES[rule.rule_type],
                "when": rule_form.summary(rule, channels),
                "action": rule.action,
                "proposes": rule.rule_type == "smart_reply",
                "enabled": rule.enabled,
                "times": rule.times_triggered,
                "last_at": rule.last_triggered_at,
            }
            for rule in found
        ],
        "may_write": access.tenant.may_write,
    }
    return page(request, "rules/list.html", context)


@get("/rules/new")
async def new(request: AnyRequest, access: GivenAccess, services: GivenServices) -> Response[str]:
    """An empty form."""
    return await _form(request, access, services, rule_form.blank())


@post("/rules", status_code=200)
async def create(
    request: AnyRequest, access: GivenAccess, services: GivenServices
) -> Response[Any]:
    """Save a new rule."""
    form = rule_form.typed(await request.form())
    try:
        draft = rule_form.draft_of(form)
        async with services.db.tenant_transaction(access.tenant) as transaction:
            await create_rule(transaction, draft)
    except InputInvalid as error:
        return await _form(request, access, services, form, error=error)
    except StateConflict as error:
        return await _form(request, access, services, form, failure=error.message, status=409)
    return go("/rules", Notice("ok", "The rule is saved."))


@get("/rules/{rule_id:uuid}")
async def edit(
    request: AnyRequest, access: GivenAccess, services: GivenServices, rule_id: FromPath[UUID]
) -> Response[str]:
    """One rule as a form."""
    rule = await get_rule(services.db, access.tenant, rule_id)
    form = rule_form.from_rule(rule)
    return await _form(request, access, services, form, rule_id=rule_id, version=rule.version)


@post("/rules/{rule_id:uuid}", status_code=200)
async def save(
    request: AnyRequest, access: GivenAccess, services: GivenServices, rule_id: FromPath[UUID]
) -> Response[Any]:
    """Save a rule over the version that was shown."""
    posted = await request.form()
    form = rule_form.typed(posted)
    version = whole_number(posted.get("version"))
    try:
        draft = rule_form.draft_of(form)
        await replace_rule(services.db, access.tenant, rule_id, draft, version)
    except (InputInvalid, VersionStale) as error:
        stale = isinstance(error, VersionStale)
        return await _form(
            request,
            access,
            services,
            form,
            rule_id=rule_id,
            version=version,
            error=error if isinstance(error, InputInvalid) else None,
            failure="This rule was changed in another place. Load it again before you save."
            if stale
            else None,
            status=412 if stale else 400,
        )
    return go("/rules", Notice("ok", "The rule is saved."))


@post("/rules/{rule_id:uuid}/delete", status_code=303)
async def remove(
    access: GivenAccess, services: GivenServices, rule_id: FromPath[UUID]
) -> Response[Any]:
    """Remove a rule."""
    await delete_rule(services.db, access.tenant, rule_id, None)
    return go("/rules", Notice("ok", "The rule is removed. What it did stays in the log."))


@post("/rules/{rule_id:uuid}/switch", status_code=303)
async def switch(
    request: AnyRequest, access: GivenAccess, services: GivenServices, rule_id: FromPath[UUID]
) -> Response[Any]:
    """Turn a rule on or off."""
    is_on = (await request.form()).get("enabled") == "on"
    await switch_rule(services.db, access.tenant, rule_id, enabled=is_on)
    return go("/rules", Notice("ok", f"The rule is {'on' if is_on else 'off'}."))


@post("/rules/{rule_id:uuid}/move", status_code=303)
async def move(
    request: AnyRequest, access: GivenAccess, services: GivenServices, rule_id: FromPath[UUID]
) -> Response[Any]:
    """Move a rule one place up or down."""
    await get_rule(services.db, access.tenant, rule_id)
    ids = [rule.id for rule in await list_rules(services.db, access.tenant)]
    at = ids.index(rule_id)
    to = at - 1 if (await request.form()).get("to") == "up" else at + 1
    if 0 <= to < len(ids):
        ids[at], ids[to] = ids[to], ids[at]
        try:
            await reorder_rules(services.db, access.tenant, ids)
        except VersionStale:
            return go("/rules", _CHANGED)
    # The button that was pressed, so that a keyboard goes on there; at an end its other.
    is_up = to < at
    again = "up" if (is_up and to > 0) or to >= len(ids) - 1 else "down"
    return go(f"/rules#{again}-{rule_id}")


@post("/rules/order", status_code=303)
async def order(request: AnyRequest, access: GivenAccess, services: GivenServices) -> Response[Any]:
    """Put the rules in the order that they were dragged into."""
    posted = await read_form(request)
    ids = [to_uuid(text) for text in posted.get("ids", "").split(",") if text]
    try:
        await reorder_rules(services.db, access.tenant, ids)
    except VersionStale:
        return go("/rules", _CHANGED)
    return go("/rules", Notice("ok", "The order is saved."))


@post("/rules/try", status_code=200)
async def attempt(
    request: AnyRequest, access: GivenAccess, services: GivenServices
) -> Response[str]:
    """What the rule in the form would do with the messages that came in last; nothing is saved."""
    posted = await request.form()
    form = rule_form.typed(posted)
    rule_id = str(posted.get("rule_id", ""))
    error, tried = None, None
    try:
        tried = await try_recent(services.db, access.tenant, rule_form.draft_of(form))
    except InputInvalid as problem:
        error = problem
    if request.headers.get("hx-request"):
        context = {
            "tried": tried,
            "errors": rule_form.field_errors(error) if error else {},
            "may_write": access.tenant.may_write,
        }
        return page(request, "rules/_tried.html", context)
    return await _form(
        request,
        access,
        services,
        form,
        rule_id=to_uuid(rule_id) if rule_id else None,
        version=whole_number(posted.get("version", "0")),
        error=error,
        tried=tried,
        status=400 if error else 200,
    )


@get("/rules/log")
async def log(
    request: AnyRequest,
    access: GivenAccess,
    services: GivenServices,
    cursor: FromQuery[str | None] = None,
    outcome: FromQuery[str] = "",
) -> Response[str]:
    """What became of messages that your rules matched."""
    wanted: Outcome | None = outcome if outcome in get_args(Outcome) else None  # type: ignore[assignment]
    found = await read_log(services.db, access.tenant, Page(_SHOWN, cursor), outcome=wanted)
    picked = f"&outcome={wanted}" if wanted else ""
    context = {
        "entries": [
            {
                "rule_name": entry.rule_name,
                "sender": entry.sender_id,
                "message_url": f"/inbox/{entry.channel_id}?message={entry.message_id}",
                "approval_url": entry.approval_id and f"/approvals/{entry.approval_id}",
                "outcome": entry.outcome,
                "why": SENTENCES.get(entry.guard, "") if entry.guard else "",
                "text": entry.response_text,
                "proposals": entry.proposals,
                "matched": [each["why"] for each in entry.matched],
                "ai_customized": entry.ai_customized,
                "ai_note": entry.ai_note,
                "approval_status": entry.approval_status,
                "at": entry.created_at,
            }
            for entry in found.items
        ],
        "outcome": wanted or "",
        "next_url": found.next_cursor and f"/rules/log?cursor={found.next_cursor}{picked}",
        "first_url": f"/rules/log?{picked.lstrip('&')}" if cursor else None,
    }
    return page(request, "rules/log.html", context)


@get("/rules/analytics")
async def analytics(
    request: AnyRequest, access: GivenAccess, services: GivenServices, days: FromQuery[str] = "30"
) -> Response[str]:
    """What your rules did, summed up."""
    length = int(days) if days in _TIMES else _DAYS
    found = await read_analytics(services.db, access.tenant, length)
    most = max([1, *(each.matched for each in found.by_rule)])
    longest = max([1, *(each.matched for each in found.by_day)])
    context = {
        "days": length,
        "totals": found.totals,
        "replies": found.totals.replies,
        "ai_percent": round(100 * found.ai_rate),
        "rules": [{"sum": each, "share": 100 * each.matched / most} for each in found.by_rule],
        "by_day": [
            {
                "day": each.day,
                "replies": each.replies,
                "stopped": each.stopped,
                "matched": each.matched,
                "share": 100 * each.matched / longest,
                "reply_share": 100 * (each.replies + each.proposed) / longest,
            }
            for each in found.by_day
        ],
        "guards": [
            {"why": SENTENCES.get(guard, guard), "count": count}
            for guard, count in sorted(found.by_guard.items(), key=lambda each: -each[1])
        ],
    }
    return page(request, "rules/analytics.html", context)


async def _channels(access: Access, services: Services) -> list[Channel]:
    """The channels that a rule of theirs can name, by name."""
    found = await list_channels(services.db, access.tenant, Page(MOST), mine=True)
    return sorted(found.items, key=lambda channel: channel.name.lower())


async def _form(
    request: AnyRequest,
    access: Access,
    services: Services,
    form: dict[str, Any],
    *,
    rule_id: UUID | None = None,
    version: int = 0,
    error: InputInvalid | None = None,
    failure: str | None = None,
    tried: list[dict[str, Any]] | None = None,
    status: int = 200,
) -> Response[str]:
    if error is not None and status == 200:
        status = 400
    channels = await _channels(access, services)
    context = {
        "rule_id": str(rule_id) if rule_id else None,
        "version": version,
        "form": form,
        "errors": rule_form.field_errors(error) if error else {},
        "failure": failure,
        "types": list(rule_form.TYPES.items()),
        "cooldowns": [(str(seconds), text) for seconds, text in rule_form.COOLDOWNS],
        "weekdays": [(str(day), name) for day, name in rule_form.DAYS],
        "channels": rule_form.channel_choices(channels, form["channels"]),
        "tried": tried,
        "may_write": access.tenant.may_write,
    }
    return page(request, "rules/form.html", context, status=status)


def rules_pages() -> Router:
    """Rules, their log and analytics."""
    return Router(
        "/",
        route_handlers=[
            rules, new, create, edit, save, remove, switch, move, order, attempt, log, analytics,
        ],
    )  # fmt: skip
