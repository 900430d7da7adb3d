"""The time, given. Nothing else in Tidings asks the operating system what time it is."""

from datetime import UTC, datetime, timedelta

_offset = timedelta(0)


def now() -> datetime:
    """The current time, aware, in UTC, moved by `shift` when a test asked for it."""
    return datetime.now(UTC) + _offset


def shift(by: timedelta) -> None:
    """Move every later `now()` of this process by `by` from the real time (tests only)."""
    global _offset
    _offset = by
