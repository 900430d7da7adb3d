"""When something is due, where the words say it plainly. Pure."""

import re
from datetime import date, timedelta

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january february march april may june july august september october november december".split()
)
_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_MONTH = "|".join(f"{name}|{name[:3]}" for name in _MONTHS)
_DAY_MONTH = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({_MONTH})\b", re.IGNORECASE)
_MONTH_DAY = re.compile(rf"\b({_MONTH})\.? (\d{{1,2}})(?:st|nd|rd|th)?\b", re.IGNORECASE)
_SOON = re.compile(r"\b(today|tonight|tomorrow)\b", re.IGNORECASE)
_WEEKDAY = re.compile(rf"\b(?:by|on|before|until|this|next) ({'|'.join(_DAYS)})\b", re.IGNORECASE)


def due_in(text: str, written: date) -> str | None:
    """The date that a text names, seen from the day it was written, as YYYY-MM-DD; else None.

    A weekday is the next one of that name, a day without a year the next one of that date.
    """
    if (iso := _ISO.search(text)) is not None:
        return _checked(int(iso[1]), int(iso[2]), int(iso[3]))
    if (found := _DAY_MONTH.search(text)) is not None:
        return _next(written, _month(found[2]), int(found[1]))
    if (found := _MONTH_DAY.search(text)) is not None:
        return _next(written, _month(found[1]), int(found[2]))
    if (soon := _SOON.search(text)) is not None:
        return (written + timedelta(days=soon[1].lower() == "tomorrow")).isoformat()
    if (weekday := _WEEKDAY.search(text)) is not None:
        ahead = (_DAYS.index(weekday[1].lower()) - written.weekday() - 1) % 7 + 1
        return (written + timedelta(days=ahead)).isoformat()
    return None


def as_due(text: str | None) -> str | None:
    """A date that an engine gave, when it is one."""
    if text is None or (iso := _ISO.fullmatch(text.strip())) is None:
        return None
    return _checked(int(iso[1]), int(iso[2]), int(iso[3]))


def _month(name: str) -> int:
    return next(n for n, month in enumerate(_MONTHS, 1) if month.startswith(name.lower()[:3]))


def _next(written: date, month: int, day: int) -> str | None:
    this_year = _checked(written.year, month, day)
    if this_year is None or this_year >= written.isoformat():
        return this_year
    return _checked(written.year + 1, month, day)


def _checked(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None
