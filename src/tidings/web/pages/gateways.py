"""Gateways: the customer's own addresses by which channels leave, for admins."""

from typing import Any, get_args

from litestar import Response, Router, get, post

from tidings.approvals.gateways import (
    GatewayChannel,
    GatewaySecret,
    delete_gateway,
    list_gateways,
    set_gateway,
    test_gateway,
)
from tidings.base.errors import InputInvalid
from tidings.tenancy.access import Access
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.forms import field_errors
from tidings.web.pages.shell import Notice, go, page
from tidings.web.services import Services

HERE = "/settings/gateways"
_ADMIN = {"scope": "admin"}
_SAID = {
    "sent": "The gateway took it.",
    "temporary": "The gateway did not take it now.",
    "refused": "The gateway refused it.",
    "unknown": "The gateway did not answer.",
}


@get(HERE, opt=_ADMIN)
async def show(request: AnyRequest, access: GivenAccess, services: GivenServices) -> Response[str]:
    """Which channels leave by signed webhook, and where to."""
    return await _page(request, access, services)


@post(HERE, opt=_ADMIN, status_code=200)
async def change(
    request: AnyRequest, access: GivenAccess, services: GivenServices
) -> Response[str]:
    """Set where a channel leaves, and show its new secret this once."""
    form = await request.form()
    typed = {name: str(form.get(name, "")).strip() for name in ("channel", "url")}
    try:
        made = await set_gateway(
            services.db,
            services.keys,
            access.tenant,
            _channel(typed["channel"]),
            typed["url"],
            allow_private=services.settings.gateway_private,
            kind=access.kind,
        )
    except InputInvalid as error:
        errors = field_errors(error)
        return await _page(request, access, services, typed=typed, errors=errors)
    return await _page(request, access, services, made=made)


@post(f"{HERE}/test", opt=_ADMIN, status_code=303)
async def test(request: AnyRequest, access: GivenAccess, services: GivenServices) -> Response[Any]:
    """Post a signed event there that sends nothing on."""
    form = await request.form()
    tested = await test_gateway(
        services.db,
        services.keys,
        access.tenant,
        _channel(str(form.get("channel", ""))),
        allow_private=services.settings.gateway_private,
    )
    kind = "ok" if tested.result == "sent" else "error"
    return go(HERE, Notice(kind, f"{_SAID[tested.result]} {tested.detail}"[:300].strip()))


@post(f"{HERE}/delete", opt=_ADMIN, status_code=303)
async def delete(
    request: AnyRequest, access: GivenAccess, services: GivenServices
) -> Response[Any]:
    """End a way out."""
    form = await request.form()
    channel = _channel(str(form.get("channel", "")))
    await delete_gateway(services.db, access.tenant, channel, kind=access.kind)
    return go(HERE, Notice("ok", f"{channel} leaves by no gateway any more."))


async def _page(
    request: AnyRequest,
    access: Access,
    services: Services,
    *,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    made: GatewaySecret | None = None,
) -> Response[str]:
    found = await list_gateways(services.db, access.tenant)
    context = {
        "gateways": found.items,
        "channels": get_args(GatewayChannel),
        "form": typed or {"channel": "whatsapp", "url": ""},
        "errors": errors or {},
        "made": made,
    }
    return page(request, "settings/gateways.html", context, status=400 if errors else 200)


def _channel(name: str) -> GatewayChannel:
    """The channel of a form. Raises `InputInvalid`."""
    if name not in get_args(GatewayChannel):
        raise InputInvalid("channel must be one that can leave by a gateway.")
    return name  # type: ignore[return-value]


def gateway_pages() -> Router:
    """The page and its forms."""
    return Router("/", route_handlers=[show, change, test, delete])
