"""Headers on every answer: request id, rate limit, security, the rotated session cookie."""

from typing import Any

from litestar.datastructures import Cookie
from litestar.types import Message, Scope

from tidings.base.ids import uuid7
from tidings.base.settings import Settings
from tidings.tenancy.rate_leases import Rate
from tidings.web.assets import ADDRESS, cache_control
from tidings.web.auth import SESSION_COOKIE
from tidings.web.methods import allowed_methods

_POLICY = (
    b"default-src 'self'; img-src 'self' data:; object-src 'none'; "
    b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SECURITY = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    # A cookie alone lets a cache in between keep what it lets in; a key may end as a picture does.
    (b"cache-control", b"private, no-cache"),
)


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
    # As they go out: this runs for every answer, and Litestar's view of them looks each up anew.
    state: dict[str, Any] = scope.get("state") or {}
    ours = [(b"x-request-id", str(state.get("request_id") or uuid7()).encode())]
    rate = _rate(state)
    if rate is not None:
        ours.append((b"ratelimit-policy", b'"default";q=%d;w=60' % rate.limit))
        ours.append((b"ratelimit", b'"default";r=%d;t=%d' % (rate.remaining, rate.reset)))
    if message["status"] == 405 or scope.get("method") == "OPTIONS":
        ours.append((b"allow", allowed_methods(scope["litestar_app"], scope["path"]).encode()))
    if scope["path"].startswith(ADDRESS) and message["status"] in (200, 304):
        ours.append((b"cache-control", cache_control(scope["query_string"]).encode()))
    names = {name for name, _ in ours}
    headers = [pair for pair in message["headers"] if pair[0] not in names]
    names.update(name for name, _ in headers)
    headers += ours
    headers.extend(pair for pair in SECURITY if pair[0] not in names)
    if state.get("rotated"):
        settings: Settings = scope["litestar_app"].state.services.settings
        cookie = session_cookie(settings, state["rotated"]).to_header(header="")
        headers.append((b"set-cookie", cookie.encode("latin-1")))
    message["headers"] = headers


def _rate(state: dict[str, Any]) -> Rate | None:
    access = state.get("access")
    exceeded: Rate | None = state.get("exceeded")
    if access is not None:
        rate: Rate = access.rate
        return rate
    return exceeded
