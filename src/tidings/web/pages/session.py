"""Signing in and out."""

from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath

from tidings.base.errors import CredentialInvalid, CsrfInvalid, InputInvalid
from tidings.tenancy.sessions import revoke_session
from tidings.tenancy.sign_in import Client, SignedIn, sign_in_by_link, sign_in_by_password
from tidings.web.auth import SESSION_COOKIE, AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.headers import session_cookie
from tidings.web.pages.shell import Notice, go, local_path, page
from tidings.web.services import Services


def refuse_other_sites(request: AnyRequest) -> None:
    """For forms before there is a session: only our own pages may post them."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise CsrfInvalid
        return  # the browser's word; a proxy may have changed the Host that Origin is held against
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise CsrfInvalid


def client_of(request: AnyRequest) -> Client:
    """Where a person signs in from."""
    address = request.client.host if request.client else ""
    return Client(address, request.headers.get("user-agent", ""))


def signed_in(services: Services, session: SignedIn, path: str) -> Response[Any]:
    """To the page asked for, with the session's cookie."""
    redirect = go(local_path(path))
    redirect.set_cookie(session_cookie(services.settings, session.token))
    return redirect


def _form_page(request: AnyRequest, status: int = 200, **changes: Any) -> Response[str]:
    context = {
        "form": {"email": ""},
        "next": "",
        "errors": {},
        "failure": None,
    }
    return page(request, "session/sign_in.html", context | changes, status=status)


@get("/sign-in", opt={"public": True})
async def sign_in_form(request: AnyRequest) -> Response[str]:
    """The form."""
    return _form_page(request, next=local_path(request.query_params.get("next", "")))


@post("/sign-in", opt={"public": True}, status_code=303)
async def sign_in(request: AnyRequest, services: GivenServices) -> Response[Any]:
    """By e-mail address and password."""
    refuse_other_sites(request)
    form = await request.form()
    email, password = str(form.get("email", "")), str(form.get("password", ""))
    target = local_path(str(form.get("next", "")))
    typed = {"email": email, "password": password}
    errors = {field: "Fill this in." for field, text in typed.items() if not text}
    kept = {"form": {"email": email}, "next": target}
    if errors:
        return _form_page(request, 400, errors=errors, **kept)
    try:
        session = await sign_in_by_password(
            services.db, services.settings, email, password, client_of(request)
        )
    except InputInvalid as error:
        return _form_page(request, 400, errors={"email": error.message}, **kept)
    except CredentialInvalid as error:
        return _form_page(request, 401, failure=error.message, **kept)
    return signed_in(services, session, target)


@get("/sign-in/link/{token:str}", opt={"public": True})
async def link_form(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    """A button, so that what merely opens links does not use this one up."""
    return page(request, "session/link.html", {"token": token, "usable": True})


@post("/sign-in/link/{token:str}", opt={"public": True}, status_code=303)
async def use_link(
    request: AnyRequest, services: GivenServices, token: FromPath[str]
) -> Response[Any]:
    """Use a one-time link."""
    refuse_other_sites(request)
    try:
        session = await sign_in_by_link(services.db, services.settings, token, client_of(request))
    except CredentialInvalid:
        return page(request, "session/link.html", {"token": "", "usable": False}, status=401)
    return signed_in(services, session, "/")


@post("/sign-out", opt={"own": True}, status_code=303)
async def sign_out(access: GivenAccess, services: GivenServices) -> Response[Any]:
    """End this session."""
    assert access.session_id is not None
    await revoke_session(services.db, access.tenant, access.session_id)
    redirect = go("/sign-in", Notice("ok", "You are signed out."))
    redirect.delete_cookie(SESSION_COOKIE)
    return redirect


def session_router() -> Router:
    """Signing in and out."""
    return Router(
        "/",
        route_handlers=[sign_in_form, sign_in, link_form, use_link, sign_out],
    )
