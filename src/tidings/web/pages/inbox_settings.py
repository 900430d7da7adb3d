"""A channel's settings: made, changed, archived, deleted, and who sees it."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from tidings.base.errors import InputInvalid, VersionStale
from tidings.messages.channels import (
    Channel,
    ChannelChange,
    NewChannel,
    create_channel,
    delete_channel,
    get_channel,
    update_channel,
)
from tidings.messages.hours import Hours
from tidings.messages.members import add_member, list_members, remove_member
from tidings.tenancy.access import Access
from tidings.tenancy.members import list_members as list_people
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.forms import to_uuid, version_of
from tidings.web.pages.shell import Notice, go, page
from tidings.web.services import Services

KINDS = ("email", "chat", "sms", "whatsapp", "telegram", "slack", "web", "other")
_OPEN_TO = {"scope": "messages"}
_MOST_PEOPLE = 200
_DAYS = ("1", "2", "3", "4", "5", "6", "7")


@get("/inbox/new", opt=_OPEN_TO)
async def new_form(request: AnyRequest) -> Response[str]:
    """The form for a new channel."""
    return _new_page(request, {"name": "", "kind": "email", "timezone": "UTC"}, {})


@post("/inbox/new", opt=_OPEN_TO, status_code=303)
async def make(request: AnyRequest, access: GivenAccess, services: GivenServices) -> Response[Any]:
    """Make a channel and show it."""
    form = await request.form()
    typed = {name: str(form.get(name, "")).strip() for name in ("name", "kind", "timezone")}
    try:
        wanted = _convert(typed, NewChannel)
        made = await create_channel(services.db, access.tenant, wanted)
    except InputInvalid as error:
        return _new_page(request, typed, _problems(error), status=400)
    return go(f"/inbox/{made.id}/settings", Notice("ok", "The channel is made."))


@get("/inbox/{channel_id:uuid}/settings", opt=_OPEN_TO)
async def settings(
    request: AnyRequest, access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]
) -> Response[str]:
    """What a channel is called, when it is open, and who sees it."""
    found = await get_channel(services.db, access.tenant, channel_id)
    return await _settings_page(request, services, access, found, _form_of(found), {})


@post("/inbox/{channel_id:uuid}/settings", opt=_OPEN_TO, status_code=303)
async def change(
    request: AnyRequest, access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]
) -> Response[Any]:
    """Change it, at the version that the form was made of."""
    form = await request.form()
    names = ("name", "kind", "timezone", "start", "end", "holidays", "version")
    typed: dict[str, Any] = {name: str(form.get(name, "")).strip() for name in names}
    typed["days"] = [day for day in form.getall("days", []) if day in _DAYS]
    typed["keeps_hours"] = form.get("keeps_hours") == "1"
    try:
        wanted = _change_of(typed)
        version = version_of(typed)
        await update_channel(services.db, access.tenant, channel_id, wanted, if_version=version)
    except InputInvalid as error:
        found = await get_channel(services.db, access.tenant, channel_id)
        problems = _problems(error)
        return await _settings_page(request, services, access, found, typed, problems, status=400)
    except VersionStale:
        said = "Somebody else changed it meanwhile; look at it again before you change it."
        return go(f"/inbox/{channel_id}/settings", Notice("error", said))
    return go(f"/inbox/{channel_id}/settings", Notice("ok", "The channel is changed."))


@post("/inbox/{channel_id:uuid}/archive", opt=_OPEN_TO, status_code=303)
async def archive(
    request: AnyRequest, access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]
) -> Response[Any]:
    """Archive it, or bring it back."""
    archived = str((await request.form()).get("archived", "")) == "1"
    await update_channel(services.db, access.tenant, channel_id, ChannelChange(archived=archived))
    said = "The channel is archived; it takes no messages." if archived else "The channel is back."
    return go(f"/inbox/{channel_id}/settings", Notice("ok", said))


@post("/inbox/{channel_id:uuid}/delete", opt=_OPEN_TO, status_code=303)
async def delete(
    access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]
) -> Response[Any]:
    """Delete it with all its messages; by admins."""
    await delete_channel(services.db, access.tenant, channel_id)
    services.relay.nudge()
    return go("/inbox", Notice("ok", "The channel and its messages are deleted."))


@post("/inbox/{channel_id:uuid}/members", opt=_OPEN_TO, status_code=303)
async def bring_in(
    request: AnyRequest, access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]
) -> Response[Any]:
    """Let somebody see it."""
    user_id = to_uuid((await request.form()).get("user_id"))
    await add_member(services.db, access.tenant, channel_id, user_id)
    return go(f"/inbox/{channel_id}/settings", Notice("ok", "They see the channel now."))


@post("/inbox/{channel_id:uuid}/members/{user_id:uuid}/remove", opt=_OPEN_TO, status_code=303)
async def take_out(
    access: GivenAccess,
    services: GivenServices,
    channel_id: FromPath[UUID],
    user_id: FromPath[UUID],
) -> Response[Any]:
    """Take somebody out, or leave."""
    await remove_member(services.db, access.tenant, channel_id, user_id)
    services.relay.nudge()
    is_gone = user_id == access.tenant.user_id and not access.tenant.is_admin
    notice = Notice("ok", "You left the channel." if is_gone else "They no longer see it.")
    return go("/inbox" if is_gone else f"/inbox/{channel_id}/settings", notice)


def _new_page(
    request: AnyRequest, typed: dict[str, str], errors: dict[str, str], status: int = 200
) -> Response[str]:
    context = {"form": typed, "errors": errors, "kinds": list(KINDS)}
    return page(request, "inbox/new.html", context, status=status)


async def _settings_page(
    request: AnyRequest,
    services: Services,
    access: Access,
    found: Channel,
    typed: dict[str, Any],
    errors: dict[str, str],
    *,
    status: int = 200,
) -> Response[str]:
    members = await list_members(services.db, access.tenant, found.id)
    people = await list_people(services.db, access.tenant, limit=_MOST_PEOPLE)
    inside = {member.user_id for member in members}
    context = {
        "channel": found,
        "form": typed,
        "errors": errors,
        "kinds": list(KINDS),
        "members": [
            {
                "id": member.user_id,
                "name": member.name or member.email,
                "email": member.email,
                "since": member.created_at,
                "is_you": member.user_id == access.tenant.user_id,
            }
            for member in members
        ],
        "others": [
            {"id": person.user_id, "name": person.name or person.email}
            for person in people
            if person.user_id not in inside
        ],
    }
    return page(request, "inbox/settings.html", context, status=status)


def _form_of(found: Channel) -> dict[str, Any]:
    first = found.business_hours[0] if found.business_hours else None
    return {
        "name": found.name,
        "kind": found.kind,
        "timezone": found.timezone,
        "days": [str(day) for day in first.days] if first else [],
        "start": first.start if first else "",
        "end": first.end if first else "",
        "keeps_hours": len(found.business_hours) > 1,
        "holidays": "\n".join(day.isoformat() for day in found.holidays),
        "version": str(found.version),
    }


def _change_of(typed: dict[str, Any]) -> ChannelChange:
    hours: list[Hours] | None = None if typed["keeps_hours"] else []
    if typed["days"]:
        hours = [Hours([int(day) for day in typed["days"]], typed["start"], typed["end"])]
    fields = {name: typed[name] for name in ("name", "kind", "timezone")}
    change: ChannelChange = _convert(fields, ChannelChange)
    return msgspec.structs.replace(change, business_hours=hours, holidays=_dates(typed["holidays"]))


def _dates(text: str) -> list[date]:
    try:
        return sorted({date.fromisoformat(word) for word in text.replace(",", " ").split()})
    except ValueError:
        raise InputInvalid.of("holidays", "has a line that is no date such as 2026-12-25") from None


def _convert(typed: dict[str, Any], kind: Callable[..., Any]) -> Any:
    if typed["kind"] not in KINDS:
        raise InputInvalid.of("kind", "is none of those offered")
    return kind(**typed)


def _problems(error: InputInvalid) -> dict[str, str]:
    """Problems by the field of the form that they stand at."""
    return {
        "hours" if problem.field.startswith("business_hours") else problem.field: error.message
        for problem in error.errors
    }


def settings_handlers() -> list[HTTPRouteHandler]:
    """The routes of this page."""
    return [new_form, make, settings, change, archive, delete, bring_in, take_out]
