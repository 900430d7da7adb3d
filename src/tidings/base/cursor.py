"""Opaque list cursors: where the next page starts, signed so that a made-up one is refused."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from tidings.base.errors import CursorInvalid, InputInvalid

T = TypeVar("T")

DEFAULT_LIMIT = 50
MOST = 200

# A checksum against typing errors and guessing, not a secret: row security decides what is seen.
_KEY = b"tidings cursor v1"
_DIGEST = 6


class Page(msgspec.Struct, frozen=True):
    """What a list request asked for: at most `limit` items, from `cursor` on."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MOST:
            raise InputInvalid(f"limit must be between 1 and {MOST}.")

    def cut(
        self, kind: str, found: Sequence[T], position: Callable[[T], object]
    ) -> tuple[list[T], str | None]:
        """The page's items of `limit + 1` that were asked for, and the cursor after them.

        `position` is where the list `kind` goes on after an item; None: there is no more.
        """
        items = list(found[: self.limit])
        more = len(found) > self.limit
        return items, encode_cursor(kind, position(items[-1])) if more else None


def listing(name: str, /, **filters: object) -> str:
    """The kind of a list with what it lists: a cursor of one channel is none of another.

    Every filter that chooses the items belongs here, as the caller gave it; None is not given.
    """
    given = {key: value for key, value in filters.items() if value is not None}
    return f"{name}?{msgspec.json.encode(given, order='sorted').decode()}" if given else name


def encode_cursor(kind: str, position: object) -> str:
    """A cursor for the list `kind` that continues after `position` (any JSON-able value).

    `kind` is what `listing` makes where the list can be filtered.
    """
    body = msgspec.json.encode(position)
    return base64.urlsafe_b64encode(_sign(kind, body) + body).rstrip(b"=").decode()


def decode_cursor(kind: str, cursor: str | None, shape: type[T]) -> T | None:
    """The position in a cursor, None for no cursor. Raises `CursorInvalid`."""
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        signature, body = raw[:_DIGEST], raw[_DIGEST:]
        if not hmac.compare_digest(signature, _sign(kind, body)):
            raise CursorInvalid
        return msgspec.json.decode(body, type=shape)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise CursorInvalid from None


def _sign(kind: str, body: bytes) -> bytes:
    return hmac.new(_KEY, kind.encode() + b"\0" + body, hashlib.sha256).digest()[:_DIGEST]
