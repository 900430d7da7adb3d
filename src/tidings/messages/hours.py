"""When a channel is open: checked on save, so that whoever reads it may rely on it."""

import re
from collections.abc import Sequence
from typing import Annotated

import msgspec

from tidings.base.errors import InputInvalid

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


def check_hours(hours: Sequence[Hours]) -> None:
    """Raise `InputInvalid` for hours that are no hours."""
    if len(hours) > MOST_HOURS:
        raise InputInvalid.of("business_hours", f"has more than {MOST_HOURS} entries")
    for place, each in enumerate(hours):
        field = f"business_hours[{place}]"
        if not each.days:
            raise InputInvalid.of(f"{field}.days", "names no day")
        for name, value in (("start", each.start), ("end", each.end)):
            if not _CLOCK.fullmatch(value):
                raise InputInvalid.of(f"{field}.{name}", "is not a time as HH:MM")
        if each.start == each.end:
            raise InputInvalid.of(f"{field}.end", "is the start; leave it out to be open all day")
