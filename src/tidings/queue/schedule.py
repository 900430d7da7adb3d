"""When a schedule ticks: cron expressions and intervals, in UTC. No clock in here."""

from datetime import UTC, datetime, timedelta

import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
# 29 February comes at least once in eight years; days further apart do not exist.
_HORIZON_DAYS = 366 * 9


class Every(msgspec.Struct, frozen=True):
    """Ticks at whole multiples of `seconds` since 1970."""

    seconds: float

    def __post_init__(self) -> None:
        """Raises ValueError unless positive."""
        if self.seconds <= 0:
            raise ValueError("an interval is longer than 0 seconds")

    def latest(self, at: datetime) -> datetime:
        """The newest tick not after `at`."""
        step = timedelta(seconds=self.seconds)
        return _EPOCH + (at - _EPOCH) // step * step

    def following(self, at: datetime) -> datetime:
        """The first tick after `at`."""
        return self.latest(at) + timedelta(seconds=self.seconds)


class Cron(msgspec.Struct, frozen=True):
    """A cron expression of five fields, in UTC: minute hour day month weekday (0 and 7: Sunday).

    Each is `*`, a number, `a-b`, `a-b/step`, `*/step`, or several with commas. As in crontab(5), a
    day matches either of day and weekday when both are restricted.
    """

    expression: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    def latest(self, at: datetime) -> datetime:
        """The newest tick not after `at`."""
        at = at.astimezone(UTC)
        for back in range(_HORIZON_DAYS):
            day = (at - timedelta(days=back)).replace(second=0, microsecond=0)
            if self._is_day(day):
                for moment in reversed(self._moments(day)):
                    if moment <= at:
                        return moment
        raise AssertionError(f"{self.expression} was checked to tick")

    def following(self, at: datetime) -> datetime:
        """The first tick after `at`."""
        at = at.astimezone(UTC)
        for ahead in range(_HORIZON_DAYS):
            day = (at + timedelta(days=ahead)).replace(second=0, microsecond=0)
            if self._is_day(day):
                for moment in self._moments(day):
                    if moment > at:
                        return moment
        raise AssertionError(f"{self.expression} was checked to tick")

    def _is_day(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        by_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_day or by_weekday if self.either_day else by_day and by_weekday

    def _moments(self, day: datetime) -> list[datetime]:
        return [
            day.replace(hour=hour, minute=minute)
            for hour in sorted(self.hours)
            for minute in sorted(self.minutes)
        ]


Schedule = Every | Cron


def cron(expression: str) -> Cron:
    """Read a cron expression. Raises ValueError that says what is wrong with it."""
    parts = expression.split()
    if len(parts) != len(_FIELDS):
        raise ValueError(f"{expression!r} needs five fields: minute hour day month weekday")
    minutes, hours, days, months, weekdays = (
        _field(expression, part, *field) for part, field in zip(parts, _FIELDS, strict=True)
    )
    either = not parts[2].startswith("*") and not parts[4].startswith("*")
    found = Cron(
        expression, minutes, hours, days, months, frozenset(d % 7 for d in weekdays), either
    )
    if not either and not any(_has_day(month, days) for month in months):
        raise ValueError(f"{expression!r} never ticks: no such day")
    return found


def _field(expression: str, part: str, name: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for item in part.split(","):
        span, _, step = item.partition("/")
        first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
        try:
            start = int(first)
            end = int(last) if last else high if step else start
            stride = int(step) if step else 1
        except ValueError:
            raise ValueError(f"{expression!r}: {item!r} is not a {name}") from None
        if not (low <= start <= end <= high and stride >= 1):
            raise ValueError(f"{expression!r}: {item!r} is outside {low}-{high} of {name}")
        found.update(range(start, end + 1, stride))
    return frozenset(found)


def _has_day(month: int, days: frozenset[int]) -> bool:
    longest = 29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31
    return min(days) <= longest
