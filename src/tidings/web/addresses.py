"""Addresses that hold what PostgreSQL cannot: refused before anything reads them."""

from typing import Any
from urllib.parse import unquote_to_bytes

from litestar.types import ASGIApp, Receive, Send

from tidings.base.errors import InputInvalid


def check_addresses(app: ASGIApp) -> ASGIApp:
    """A middleware that refuses a NUL or broken UTF-8 in path and query.

    No guard: Litestar copies the handler for each guard of each request.
    """

    async def checked(scope: Any, receive: Receive, send: Send) -> None:
        check_address(scope.get("raw_path", b"") + b"?" + scope["query_string"])
        await app(scope, receive, send)

    return checked


def check_address(raw: bytes) -> None:
    """Raise `InputInvalid` for an address, as it came, that cannot be stored."""
    if b"%" not in raw:
        return
    plain = unquote_to_bytes(raw)
    if b"\0" in plain:
        raise InputInvalid("The address contains a NUL character; remove it.")
    try:
        plain.decode()
    except UnicodeDecodeError:
        raise InputInvalid("The address is not valid UTF-8.") from None
