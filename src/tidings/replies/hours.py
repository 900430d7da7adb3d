"""Times of day in a zone: pure, by the wall clock, so that DST moves nothing."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

_DAY = timedelta(days=1)


class Span(msgspec.Struct, frozen=True):
    """Open hours: "HH:MM", start inclusive, end exclusive, over midnight when start > end.

    `days` are those on which it starts, 1 (Monday) to 7; empty is every day.
    """

    start: str
    end: str
    days: Sequence[int] = ()


class Hours(msgspec.Struct, frozen=True):
    """When a channel is open: without spans always, on its holidays never."""

    timezone: str = "UTC"
    spans: Sequence[Span] = ()
    holidays: Sequence[date] = ()


def local_day(at: datetime, zone: str) -> date:
    """The date there at that moment."""
    return at.astimezone(ZoneInfo(zone)).date()


def is_within(at: datetime, zone: str, span: Span) -> bool:
    """Whether the moment (aware) is in the span, as the clocks of the zone show it."""
    local = at.astimezone(ZoneInfo(zone))
    time, today = f"{local:%H:%M}", local.date()
    if span.start < span.end:
        return span.start <= time < span.end and _starts_on(today, span)
    if time >= span.start:
        return _starts_on(today, span)
    return time < span.end and _starts_on(today - _DAY, span)


def is_open(at: datetime, hours: Hours) -> bool:
    """Whether a channel is open: not on a holiday, and within one of its spans."""
    if local_day(at, hours.timezone) in hours.holidays:
        return False
    return not hours.spans or any(is_within(at, hours.timezone, span) for span in hours.spans)


def _starts_on(day: date, span: Span) -> bool:
    return not span.days or day.isoweekday() in span.days
