"""One's own password."""

from typing import Any

from litestar import Response, Router, get, post

from tidings.base.errors import InputInvalid, RoleForbidden
from tidings.tenancy.sessions import change_password
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.shell import Notice, go, page


@get("/settings/password")
async def password_form(request: AnyRequest) -> Response[str]:
    """The form."""
    return _form_page(request)


@post("/settings/password", opt={"own": True}, status_code=303)
async def set_password(
    request: AnyRequest, access: GivenAccess, services: GivenServices
) -> Response[Any]:
    """Set it, and end this person's sessions on other devices."""
    form = await request.form()
    current, new = str(form.get("current", "")), str(form.get("password", ""))
    if new != str(form.get("again", "")):
        return _form_page(request, 400, again="The two new passwords are not the same.")
    assert access.session_id is not None
    try:
        await change_password(
            services.db, services.settings, access.tenant, access.session_id, current or None, new
        )
    except InputInvalid as error:
        return _form_page(request, 400, password=error.message)
    except RoleForbidden as error:
        return _form_page(request, 403, current=error.message)
    return go("/settings/password", Notice("ok", "Your password is set."))


def _form_page(request: AnyRequest, status: int = 200, **errors: str) -> Response[str]:
    return page(request, "settings/password.html", {"errors": errors}, status=status)


def password_router() -> Router:
    """One's own password."""
    return Router("/", route_handlers=[password_form, set_password])
