"""Where the link in mail leads: one button for people, one click for their mail programs."""

from litestar import Response, Router, get, post
from litestar.params import FromPath

from tidings.approvals.unsubscribe import Link, find_link, unsubscribe
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenServices
from tidings.web.pages.shell import page


@get("/unsubscribe/{token:str}", opt={"public": True})
async def ask(request: AnyRequest, services: GivenServices, token: FromPath[str]) -> Response[str]:
    """A page with one button, so that a mail scanner that opens the link ends nothing."""
    link = await find_link(services.db, token)
    return _page(request, token, link, is_done=link.is_done)


@post("/unsubscribe/{token:str}", opt={"public": True}, status_code=200)
async def end(request: AnyRequest, services: GivenServices, token: FromPath[str]) -> Response[str]:
    """End it (RFC 8058 section 3.2: mail programs post here by themselves, without a cookie)."""
    await unsubscribe(services.db, token)
    return _page(request, token, await find_link(services.db, token), is_done=True)


def _page(request: AnyRequest, token: str, link: Link, *, is_done: bool) -> Response[str]:
    context = {
        "token": token,
        "contact": link.contact,
        "sender": link.organization,
        "is_done": is_done,
    }
    return page(request, "approvals/unsubscribe.html", context)


def unsubscribe_pages() -> Router:
    """The page and its button."""
    return Router("/", route_handlers=[ask, end])
