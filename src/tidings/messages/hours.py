"""When a channel is open: checked on save, so that whoever reads it may rely on it."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

import msgspec

from tidings.base.errors import FieldProblem, InputInvalid

MOST_HOLIDAYS = 400
MOST_HOURS = 50

_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")


class Hours(msgspec.Struct, frozen=True):
    """Open on these days (1 is Monday) from `start` until just before `end`, both "HH:MM".

    With `start` after `end` it stays open over midnight, into the day after.
    """

    days: list[Annotated[int, msgspec.Meta(ge=1, le=7)]]
    start: str
    end: str


def check_timezone(name: str) -> str:
    """The name itself. Raises `InputInvalid` for one that the tz database does not have."""
    if name not in _zones():
        raise _invalid("timezone", "is not in the tz database; send something like Europe/Berlin")
    return name


def check_hours(hours: Sequence[Hours]) -> None:
    """Raise `InputInvalid` for hours that are no hours."""
    if len(hours) > MOST_HOURS:
        raise _invalid("business_hours", f"has more than {MOST_HOURS} entries")
    for place, each in enumerate(hours):
        field = f"business_hours[{place}]"
        if not each.days:
            raise _invalid(f"{field}.days", "names no day")
        for name, value in (("start", each.start), ("end", each.end)):
            if not _CLOCK.fullmatch(value):
                raise _invalid(f"{field}.{name}", "is not a time as HH:MM")
        if each.start == each.end:
            raise _invalid(f"{field}.end", "is the start; leave it out to be open all day")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _invalid(field: str, problem: str) -> InputInvalid:
    return InputInvalid(f"{field} {problem}.", errors=[FieldProblem(field, problem)])
