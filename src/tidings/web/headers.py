"""Headers on every answer: request id, rate limit, security, the rotated session cookie."""

from typing import Any

from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.types import Message, Scope

from tidings.base.ids import uuid7
from tidings.base.settings import Settings
from tidings.tenancy.rate_leases import Rate
from tidings.web.assets import ADDRESS, cache_control
from tidings.web.auth import SESSION_COOKIE
from tidings.web.methods import allowed_methods

SECURITY = {
    "content-security-policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    # A cookie alone lets a cache in between keep what it lets in; a key may end as a picture does.
    "cache-control": "private, no-cache",
}


def session_cookie(settings: Settings, token: str | None) -> Cookie:
    """The cookie of a session; without a token, the one that removes it."""
    return Cookie(
        key=SESSION_COOKIE,
        value=token or "",
        path="/",
        httponly=True,
        samesite="lax",
        secure=(settings.base_url or "").startswith("https:"),
        max_age=settings.session_days * 86_400 if token else 0,
    )


async def add_headers(message: Message, scope: Scope) -> None:
    """Litestar's `before_send` hook."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    state: dict[str, Any] = scope.get("state") or {}
    headers["x-request-id"] = str(state.get("request_id") or uuid7())
    for name, value in SECURITY.items():
        headers.setdefault(name, value)
    if message["status"] == 405 or scope.get("method") == "OPTIONS":
        headers["allow"] = allowed_methods(scope["litestar_app"], scope["path"])
    if scope["path"].startswith(ADDRESS) and message["status"] in (200, 304):
        headers["cache-control"] = cache_control(scope["query_string"])
    rate = _rate(state)
    if rate is not None:
        headers["ratelimit-policy"] = f'"default";q={rate.limit};w=60'
        headers["ratelimit"] = f'"default";r={rate.remaining};t={rate.reset}'
    if state.get("rotated"):
        settings: Settings = scope["litestar_app"].state.services.settings
        headers.extend_header_value(
            "set-cookie", session_cookie(settings, state["rotated"]).to_header(header="")
        )


def _rate(state: dict[str, Any]) -> Rate | None:
    access = state.get("access")
    exceeded: Rate | None = state.get("exceeded")
    if access is not None:
        rate: Rate = access.rate
        return rate
    return exceeded
