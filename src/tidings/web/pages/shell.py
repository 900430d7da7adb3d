"""What every page shares: the templates, who is signed in, notices that are shown once."""

import base64
import binascii
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from litestar import Response
from litestar.datastructures import Cookie
from litestar.response import Redirect

from tidings.web.assets import asset_version
from tidings.web.auth import AnyRequest, access_of

FLASH_COOKIE = "tidings_notice"
THEME_COOKIE = "tidings_theme"
HTML = "text/html"


class Undo(msgspec.Struct, frozen=True):
    """A form that takes something back."""

    action: str
    fields: dict[str, str]


class Notice(msgspec.Struct, frozen=True):
    """Said once, at the top of the next page."""

    kind: str
    text: str
    undo: Undo | None = None


@cache
def environment() -> Environment:
    """The templates: everything is escaped, and a variable that is missing is an error."""
    return Environment(
        loader=PackageLoader("tidings.web"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=False,
    )


def page(
    request: AnyRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    status: int = 200,
    notice: Notice | None = None,
) -> Response[str]:
    """A page with its shell; `notice` is for this very page."""
    shown = notice or _notice(request)
    text = (
        environment()
        .get_template(template)
        .render(shell(request) | {"flashes": [shown] if shown else []} | dict(context))
    )
    response = Response(
        text, status_code=status, media_type=HTML, headers={"cache-control": "no-store"}
    )
    if FLASH_COOKIE in request.cookies:
        response.delete_cookie(FLASH_COOKIE)
    return response


def shell(request: AnyRequest) -> dict[str, Any]:
    """The variables of base.html but the notices."""
    access = access_of(request)
    theme = request.cookies.get(THEME_COOKIE, "auto")
    return {
        "user": access
        and {
            "name": access.user_name or access.email,
            "email": access.email,
            "is_admin": access.tenant.is_admin,
            "may_write": access.tenant.may_write,
        },
        "organization": access and {"name": access.organization_name},
        "csrf_token": (access and access.csrf) or "",
        "theme": theme if theme in ("light", "dark") else "auto",
        "asset_version": asset_version(),
    }


def go(path: str, notice: Notice | None = None) -> Redirect:
    """303 to a page of ours, which then says the notice."""
    redirect = Redirect(path, status_code=303)
    if notice is not None:
        value = base64.urlsafe_b64encode(msgspec.json.encode(notice)).decode()
        redirect.set_cookie(
            Cookie(FLASH_COOKIE, value=value, path="/", httponly=True, samesite="lax", max_age=60)
        )
    return redirect


def local_path(path: str) -> str:
    """A path of ours to return to, or "/" for anything that could lead elsewhere."""
    if not path.startswith("/") or path.startswith(("//", "/\\")) or not path.isprintable():
        return "/"
    return path


def _notice(request: AnyRequest) -> Notice | None:
    value = request.cookies.get(FLASH_COOKIE)
    if not value:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(value), type=Notice)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return None
