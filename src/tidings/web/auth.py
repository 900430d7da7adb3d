"""Who asks: an API key, or a session cookie that shows its CSRF token on writes.

One database round trip before the handler (`Requests.open`): credential, rate share and
Idempotency-Key together. Guards run before the body is decoded, so that 401 comes before 400.
"""

import hmac
from typing import Any

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler

from tidings.base.errors import (
    CredentialInvalid,
    CredentialMissing,
    CsrfInvalid,
    InputInvalid,
    RateExceeded,
    TidingsError,
)
from tidings.base.text import find_bad_text
from tidings.tenancy.access import (
    Access,
    Credential,
    key_credential,
    session_credential,
)
from tidings.tenancy.api_keys import Area
from tidings.tenancy.idempotency import Answer, make_claim
from tidings.tenancy.sessions import rotate_session
from tidings.web.services import Services

AnyRequest = Request[Any, Any, Any]

SESSION_COOKIE = "tidings_session"
CSRF_HEADER = "x-csrftoken"
CSRF_FIELD = "_csrf_token"
SAFE_METHODS = ("GET", "HEAD")
SMALL_BODY = 1024 * 1024
"""Bytes of a body that is read before its sender is known."""


class Replay(Exception):
    """Not an error: the answer to this Idempotency-Key was given before."""

    def __init__(self, answer: Answer) -> None:
        """`answer` is what the first request got."""
        self.answer = answer


def services_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Services:
    """The services of the app that a connection came to."""
    services: Services = connection.app.state.services
    return services


def provide_services(state: State) -> Services:
    """Litestar's dependency `services`."""
    services: Services = state.services
    return services


def access_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Access | None:
    """Who asks, once a guard has let them in."""
    access: Access | None = connection.scope["state"].get("access")
    return access


def provide_access(request: AnyRequest) -> Access:
    """Litestar's dependency `access`."""
    access = access_of(request)
    if access is None:
        raise CredentialMissing
    return access


async def guard_api(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """Let in an API key or a session; the handler's `opt["scope"]` names what it may be for."""
    request: AnyRequest = connection  # type: ignore[assignment]
    if handler.opt.get("public") or request.method == "OPTIONS":
        return
    writes = request.method not in SAFE_METHODS
    access = await _open(request, credential_of(request), claims=request.method == "POST")
    if writes and access.csrf is not None:
        check_csrf(access, request.headers.get(CSRF_HEADER, ""))
    # Else the handler asks for what its topics, or the kind of its run, take.
    if not (handler.opt.get("by_topic") or handler.opt.get("by_kind")):
        _require(access, handler, "admin", writes=writes)
    if writes and not handler.opt.get("rows"):
        await _refuse_bad_text(request)
    if access.replay is not None:
        raise Replay(access.replay)


async def guard_page(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """Let in a session alone; a form shows its CSRF token in a field."""
    request: AnyRequest = connection  # type: ignore[assignment]
    if handler.opt.get("public") or request.method == "OPTIONS":
        return
    token = request.cookies.get(SESSION_COOKIE)
    if not token:
        raise CredentialMissing
    access = await _open(request, session_credential(token), claims=False)
    if request.method in SAFE_METHODS:
        if access.rotation_due:
            request.scope["state"]["rotated"] = await rotate_session(services_of(request).db, token)
        _require(access, handler, "engagement", writes=False)
        return
    form = await request.form()
    try:
        check_csrf(access, str(form.get(CSRF_FIELD) or request.headers.get(CSRF_HEADER, "")))
        _require(access, handler, "engagement", writes=True)
    except TidingsError:
        await form.close()
        raise


def _require(access: Access, handler: BaseRouteHandler, area: Area, *, writes: bool) -> None:
    """Hold role and scopes against the handler; `opt["own"]` changes only what is one's own."""
    area = handler.opt.get("scope", area)
    if handler.opt.get("own"):
        access.require_scope(area, write=writes)
    else:
        access.require(area, write=writes)


def check_csrf(access: Access, shown: str) -> None:
    """Raise `CsrfInvalid` unless the session's own token was shown."""
    if not hmac.compare_digest((access.csrf or "").encode(), shown.encode()):
        raise CsrfInvalid


async def _open(request: AnyRequest, credential: Credential, *, claims: bool) -> Access:
    services = services_of(request)
    key = request.headers.get("idempotency-key") if claims else None
    claim = None
    try:
        if key is not None:
            if _may_be_large(request):
                # Nobody makes us take in megabytes without a credential: one round trip more.
                await services.requests.open(credential)
            query = request.scope["query_string"].decode("latin-1")
            claim = make_claim(key, request.method, request.url.path, query, await request.body())
        access = await services.requests.open(credential, claim)
    except RateExceeded:
        request.scope["state"]["exceeded"] = services.requests.leases.refusal(credential.digest)
        raise
    request.scope["state"]["access"] = access
    return access


def _may_be_large(request: AnyRequest) -> bool:
    if "transfer-encoding" in request.headers:
        return True
    length = request.headers.get("content-length", "0")
    return not length.isdigit() or int(length) > SMALL_BODY


def credential_of(request: AnyRequest) -> Credential:
    """The credential that a request carries: an API key before a cookie.

    Raises `CredentialMissing`, or `CredentialInvalid` for what cannot be one.
    """
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, value = header.partition(" ")
        if scheme.lower() != "bearer":
            raise CredentialInvalid("Send the API key as `Authorization: Bearer tk_…`.")
        return key_credential(value.strip())
    token = request.cookies.get(SESSION_COOKIE)
    if not token:
        raise CredentialMissing
    return session_credential(token)


async def _refuse_bad_text(request: AnyRequest) -> None:
    """Refuse NUL and lone surrogates anywhere in a JSON body.

    Only a body that spells an escape of either can hold one, so others are not decoded twice.
    """
    body = await request.body()
    if b"\\u0000" not in body and b"\\ud" not in body and b"\\uD" not in body:
        return
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise InputInvalid("The body is not valid JSON.") from None
    problem = find_bad_text(decoded)
    if problem is not None:
        raise InputInvalid(f"{problem.field} {problem.message}.", errors=[problem])
