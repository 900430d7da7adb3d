"""The text of a reply: `{variable}` filled in once; everything else stays as it is written."""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec

VARIABLES = ("sender_name", "date", "time", "day", "until")
NOBODY = "there"
LONGEST_SENDER = 80

_VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f]+")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


class Filling(msgspec.Struct, frozen=True):
    """What the variables stand for: the sender's name as it came, the moment (aware) and zone."""

    sender_name: str
    at: datetime
    timezone: str
    until: date | None = None


def template_problem(template: str, *, has_until: bool) -> str | None:
    """Why a template is refused: a variable that is unknown, or that nothing stands behind."""
    for name in _VARIABLE.findall(template):
        if name not in VARIABLES:
            known = ", ".join(f"{{{each}}}" for each in VARIABLES)
            return f"names {{{name}}}, which is unknown; there are {known}"
        if name == "until" and not has_until:
            return "names {until}, but the rule has no last day"
    return None


def fill(template: str, filling: Filling) -> str:
    """The template with its variables; braces in a value are text, never filled again."""
    local = filling.at.astimezone(ZoneInfo(filling.timezone))
    values = {
        "sender_name": plain_name(filling.sender_name),
        "date": _date(local.date()),
        "time": f"{local:%H:%M}",
        "day": _DAYS[local.weekday()],
        "until": _date(filling.until) if filling.until else "",
    }
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), template)


def one_line(text: str) -> str:
    """The text without line breaks and control characters."""
    return _BLANKS.sub(" ", text).strip()


def plain_name(name: str) -> str:
    """A sender's name on one line, "there" where it is none or only an address."""
    shown = one_line(name)[:LONGEST_SENDER].strip()
    return NOBODY if not shown or "@" in shown else shown


def _date(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
