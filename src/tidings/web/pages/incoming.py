"""How messages come into a channel: its mailbox, and the addresses that post into it."""

from typing import Any, get_args
from uuid import UUID

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from tidings.base import clock
from tidings.base.errors import InputInvalid
from tidings.connectors.imap import Tls
from tidings.connectors.mailboxes import (
    Mailbox,
    MailboxSettings,
    delete_mailbox,
    find_mailbox,
    set_mailbox,
    start_check,
)
from tidings.messages.channels import get_channel
from tidings.messages.hooks import create_message_hook, list_message_hooks, revoke_message_hook
from tidings.tenancy.access import Access
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.forms import field_errors
from tidings.web.pages.shell import Notice, go, page
from tidings.web.services import Services

_ADMIN = {"scope": "admin"}
_TYPED = ("host", "port", "tls", "user", "password", "folder", "own_addresses", "begin")


@get("/inbox/{channel_id:uuid}/incoming", opt=_ADMIN)
async def show(
    request: AnyRequest, access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]
) -> Response[str]:
    """The mailbox and the addresses, for admins."""
    return await _page(request, access, services, channel_id)


@post("/inbox/{channel_id:uuid}/incoming/mailbox", opt=_ADMIN, status_code=303)
async def change_mailbox(
    request: AnyRequest, access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]
) -> Response[Any]:
    """Set the mailbox as it was typed, and have it checked."""
    form = await request.form()
    typed = {name: str(form.get(name, "")).strip() for name in _TYPED}
    before = await find_mailbox(services.db, access.tenant, channel_id)
    try:
        await set_mailbox(
            services.db,
            services.keys,
            access.tenant,
            channel_id,
            _settings(typed, before),
            allow_private=services.settings.gateway_private,
            kind=access.kind,
        )
    except InputInvalid as error:
        errors = field_errors(error)
        return await _page(request, access, services, channel_id, typed=typed, errors=errors)
    return await _start(
        access, services, channel_id, "The mailbox is set. Its mail is fetched now."
    )


@post("/inbox/{channel_id:uuid}/incoming/check", opt=_ADMIN, status_code=303)
async def check(
    access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]
) -> Response[Any]:
    """Fetch now."""
    return await _start(access, services, channel_id, "The mail is fetched now.")


@post("/inbox/{channel_id:uuid}/incoming/mailbox/delete", opt=_ADMIN, status_code=303)
async def end_mailbox(
    access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]
) -> Response[Any]:
    """Fetch no more."""
    await delete_mailbox(services.db, access.tenant, channel_id, kind=access.kind)
    said = "Its mail is not fetched any more; what came in stays."
    return go(_here(channel_id), Notice("ok", said))


@post("/inbox/{channel_id:uuid}/incoming/hooks", opt=_ADMIN, status_code=200)
async def make_hook(
    request: AnyRequest, access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]
) -> Response[str]:
    """Make an address and show it, with its secret, this once."""
    hook = await create_message_hook(
        services.db, services.keys, access.tenant, channel_id, kind=access.kind
    )
    base = services.settings.base_url or str(request.base_url)
    created = {
        "url": f"{base.rstrip('/')}/v1/hooks/messages/{hook.token}",
        "secret": hook.signing_secret,
    }
    return await _page(request, access, services, channel_id, created=created)


@post("/inbox/{channel_id:uuid}/incoming/hooks/{hook_id:uuid}/revoke", opt=_ADMIN, status_code=303)
async def end_hook(
    access: GivenAccess,
    services: GivenServices,
    channel_id: FromPath[UUID],
    hook_id: FromPath[UUID],
) -> Response[Any]:
    """End an address."""
    await revoke_message_hook(services.db, access.tenant, channel_id, hook_id, kind=access.kind)
    return go(_here(channel_id), Notice("ok", "The address is ended; what posts there fails."))


def _here(channel_id: UUID) -> str:
    return f"/inbox/{channel_id}/incoming"


async def _start(access: Access, services: Services, channel_id: UUID, said: str) -> Response[Any]:
    async with services.db.tenant_transaction(access.tenant) as transaction:
        await start_check(transaction, channel_id)
    return go(_here(channel_id), Notice("ok", said))


def _settings(typed: dict[str, str], before: Mailbox | None) -> MailboxSettings:
    """What was typed. Raises `InputInvalid`."""
    port, tls = typed["port"], typed["tls"]
    if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise InputInvalid.of("port", "must be a number up to 65535")
    if tls not in get_args(Tls):
        raise InputInvalid.of("tls", "is none of those offered")
    kept = before.since if before else None
    since = {"new": clock.now(), "kept": kept}.get(typed["begin"])
    return MailboxSettings(
        host=typed["host"],
        port=int(port) if port else None,
        tls=tls,  # type: ignore[arg-type]
        user=typed["user"],
        password=typed["password"] or None,
        folder=typed["folder"] or "INBOX",
        own_addresses=typed["own_addresses"].replace(",", " ").split(),
        since=since,
    )


async def _page(
    request: AnyRequest,
    access: Access,
    services: Services,
    channel_id: UUID,
    *,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    created: dict[str, str] | None = None,
) -> Response[str]:
    channel = await get_channel(services.db, access.tenant, channel_id)
    mailbox = await find_mailbox(services.db, access.tenant, channel_id)
    hooks = await list_message_hooks(services.db, access.tenant, channel_id)
    context = {
        "channel": channel,
        "mailbox": mailbox,
        "form": (typed or _form(mailbox)) | {"password": ""},
        "errors": errors or {},
        "may_be_plain": services.settings.gateway_private,
        "hooks": [hook for hook in hooks if hook.revoked_at is None],
        "created": created,
    }
    return page(request, "inbox/incoming.html", context, status=400 if errors else 200)


def _form(mailbox: Mailbox | None) -> dict[str, str]:
    if mailbox is None:
        empty = dict.fromkeys(_TYPED, "")
        return empty | {"port": "993", "tls": "implicit", "folder": "INBOX", "begin": "all"}
    return {
        "host": mailbox.host,
        "port": str(mailbox.port),
        "tls": mailbox.tls,
        "user": mailbox.user,
        "folder": mailbox.folder,
        "own_addresses": "\n".join(mailbox.own_addresses),
        "begin": "kept" if mailbox.since else "all",
    }


def incoming_handlers() -> list[HTTPRouteHandler]:
    """The routes of this page."""
    return [show, change_mailbox, check, end_mailbox, make_hook, end_hook]
