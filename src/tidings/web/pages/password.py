"""One's own password, and where one is signed in."""

from typing import Any
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromPath

from tidings.base.errors import InputInvalid, RoleForbidden
from tidings.tenancy.access import Access
from tidings.tenancy.sessions import (
    change_password,
    list_sessions,
    revoke_session,
    revoke_sessions,
)
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.shell import Notice, go, page
from tidings.web.services import Services

HERE = "/settings/password"
_BROWSERS = {"Edg": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome",
             "CriOS/": "Chrome", "Safari/": "Safari"}  # fmt: skip
_SYSTEMS = {"iPhone": "an iPhone", "iPad": "an iPad", "Android": "Android", "Windows": "Windows",
            "Mac OS X": "a Mac", "CrOS": "ChromeOS", "Linux": "Linux"}  # fmt: skip
"""What names a browser and a system in the line that it sends. The first that is in it counts:
most say that they are Safari, too."""


@get(HERE)
async def password_form(
    request: AnyRequest, access: GivenAccess, services: GivenServices
) -> Response[str]:
    """The form, and one's sessions."""
    return await _form_page(request, access, services)


@post(HERE, opt={"own": True}, status_code=303)
async def set_password(
    request: AnyRequest, access: GivenAccess, services: GivenServices
) -> Response[Any]:
    """Set it, and end this person's sessions on other devices."""
    form = await request.form()
    current, new = str(form.get("current", "")), str(form.get("password", ""))
    if new != str(form.get("again", "")):
        said = "The two new passwords are not the same."
        return await _form_page(request, access, services, 400, again=said)
    assert access.session_id is not None
    try:
        await change_password(
            services.db, services.settings, access.tenant, access.session_id, current or None, new
        )
    except InputInvalid as error:
        return await _form_page(request, access, services, 400, password=error.message)
    except RoleForbidden as error:
        return await _form_page(request, access, services, 403, current=error.message)
    return go(HERE, Notice("ok", "Your password is set."))


@post("/settings/sessions/{web_session_id:uuid}/end", opt={"own": True}, status_code=303)
async def end_session(
    access: GivenAccess, services: GivenServices, web_session_id: FromPath[UUID]
) -> Response[Any]:
    """End one session."""
    await revoke_session(services.db, access.tenant, web_session_id)
    services.relay.nudge()
    return go(HERE, Notice("ok", "That session has ended."))


@post("/settings/sessions/end-others", opt={"own": True}, status_code=303)
async def end_others(access: GivenAccess, services: GivenServices) -> Response[Any]:
    """End all of one's sessions here but this one."""
    await revoke_sessions(services.db, access.tenant, access.tenant.user_id, keep=access.session_id)
    services.relay.nudge()
    return go(HERE, Notice("ok", "You are signed in here alone now."))


async def _form_page(
    request: AnyRequest, access: Access, services: Services, status: int = 200, **errors: str
) -> Response[str]:
    found = await list_sessions(services.db, access.tenant, access.tenant.user_id)
    sessions = [
        {
            "id": session.id,
            "method": session.method,
            "created_at": session.created_at,
            "last_seen_at": session.last_seen_at,
            "user_agent": session.user_agent,
            "address": session.address,
            "browser": browser_name(session.user_agent),
            "is_this": session.id == access.session_id,
        }
        for session in found
    ]
    context = {"errors": errors, "sessions": sessions}
    return page(request, "settings/password.html", context, status=status)


def browser_name(user_agent: str) -> str:
    """ "Firefox on Windows" for a browser; what others send, cut."""
    browser = next((name for sign, name in _BROWSERS.items() if sign in user_agent), None)
    system = next((name for sign, name in _SYSTEMS.items() if sign in user_agent), None)
    if browser is None:
        return user_agent[:60] or "unknown"
    return f"{browser} on {system}" if system else browser


def password_router() -> Router:
    """One's own password and sessions."""
    return Router("/", route_handlers=[password_form, set_password, end_session, end_others])
