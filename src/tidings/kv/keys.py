"""Keys, prefixes and cursors. Keys are ordered by their UTF-8 bytes, which is code point order."""

import base64
import binascii
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from tidings.base.errors import CursorInvalid, FieldProblem, InputInvalid
from tidings.base.text import check_text, text_problem

LONGEST_KEY = 1_024  # bytes of UTF-8
MOST_KEYS = 1_000
LONGEST_TTL = timedelta(days=3_650)

_LAST = "\U0010ffff"
# Above every key: one code point more than the longest key of the highest code points.
_ABOVE_ALL = _LAST * (LONGEST_KEY // 4 + 1)


class KeyRange(msgspec.Struct, frozen=True):
    """The keys from `lower` on that are below `upper`."""

    lower: str
    upper: str


def check_key(key: str, field: str = "key") -> str:
    """The key itself, or `InputInvalid`: 1 to 1,024 bytes of UTF-8, any characters but NUL."""
    if not key:
        raise _invalid(field, "is empty; name a key")
    return check_prefix(key, field)


def check_keys(keys: Sequence[str], field: str = "keys") -> list[str]:
    """At most 1,000 keys, each checked."""
    if len(keys) > MOST_KEYS:
        raise _invalid(field, f"are more than {MOST_KEYS}")
    return [check_key(key, field) for key in keys]


def check_prefix(prefix: str, field: str = "prefix") -> str:
    """The prefix itself, which may be empty, or `InputInvalid`."""
    check_text(field, prefix)
    if len(prefix.encode()) > LONGEST_KEY:
        raise _invalid(field, f"is longer than {LONGEST_KEY:,} bytes")
    return prefix


def check_ttl(ttl: timedelta | None) -> timedelta | None:
    """The time to live itself, or `InputInvalid`: above 0, at most 3,650 days."""
    if ttl is not None and not timedelta(0) < ttl <= LONGEST_TTL:
        raise _invalid("ttl_seconds", "must be above 0 and at most 315,360,000 (3,650 days)")
    return ttl


def range_of(prefix: str) -> KeyRange:
    """The keys that start with a checked prefix, as a range of bytes."""
    stem = prefix.rstrip(_LAST)
    if not stem:
        return KeyRange(prefix, _ABOVE_ALL)
    # The surrogates between U+D7FF and U+E000 are no characters.
    following = 0xE000 if stem[-1] == "\ud7ff" else ord(stem[-1]) + 1
    return KeyRange(prefix, stem[:-1] + chr(following))


def write_cursor(last_key: str) -> str:
    """The cursor after a key."""
    return base64.urlsafe_b64encode(last_key.encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, prefix: str) -> str:
    """The key that a cursor stands after, empty without one. Raises `CursorInvalid`."""
    if cursor is None:
        return ""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        key = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (UnicodeError, binascii.Error):
        raise CursorInvalid from None
    if not key or text_problem(key) or not key.startswith(prefix):
        raise CursorInvalid
    if len(key.encode()) > LONGEST_KEY or write_cursor(key) != cursor:
        raise CursorInvalid
    return key


def _invalid(field: str, problem: str) -> InputInvalid:
    return InputInvalid(f"{field} {problem}.", errors=[FieldProblem(field, problem)])
