"""What may be asked for, and which stretch of time that is. Pure but for the time of day."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from tidings.base.errors import InputInvalid
from tidings.base.zones import zone_of
from tidings.summaries.record import SummaryType

Day = date


class AskRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller asks for.

    `reference` is the thread or the channel; of a `catch_up` a channel, or all of one's own.
    `since` begins a `channel` summary or a `catch_up` at a time, aware; a `catch_up` without it
    begins where one has read to. `date` and `timezone` (an IANA name) choose the day of a
    `daily_digest`: today in UTC when they are not given.
    """

    type: SummaryType
    reference: UUID | None = None
    since: datetime | None = None
    date: Day | None = None
    timezone: str | None = None
    engine: str | None = None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was checked: what to read, from when (inclusive) until when (exclusive)."""

    type: SummaryType
    channel_id: UUID | None = None
    thread_id: UUID | None = None
    from_at: datetime | None = None
    until_at: datetime | None = None
    local_date: date | None = None
    timezone: str | None = None

    @property
    def reference(self) -> UUID | None:
        """The thread, else the channel."""
        return self.thread_id or self.channel_id


def check(request: AskRequest, now: datetime) -> Question:
    """The request as a question. Raises `InputInvalid` for what does not go together."""
    if request.type == "daily_digest":
        return _digest(request, now)
    _refuse(request, "date", "timezone")
    since = _since(request.since, now)
    if request.type == "catch_up":
        return Question(type="catch_up", channel_id=request.reference, from_at=since)
    if request.reference is None:
        raise InputInvalid.of("reference", f"is missing: the id of the {request.type}")
    if request.type == "channel":
        return Question(type="channel", channel_id=request.reference, from_at=since)
    _refuse(request, "since")
    return Question(type="thread", thread_id=request.reference)


def day_in(zone: ZoneInfo, day: date) -> tuple[datetime, datetime]:
    """When a local day begins and ends, in UTC: 23 to 25 hours where clocks are changed."""
    begins, ends = (
        datetime.combine(day + timedelta(days=n), time.min, zone).astimezone(UTC) for n in (0, 1)
    )
    return begins, ends


def _digest(request: AskRequest, now: datetime) -> Question:
    _refuse(request, "reference", "since")
    name = request.timezone or "UTC"
    zone = zone_of(name)
    day = request.date or now.astimezone(zone).date()
    try:
        begins, ends = day_in(zone, day)
    except OverflowError:
        raise InputInvalid.of("date", "is out of range") from None
    if begins > now:
        raise InputInvalid.of("date", "is in the future")
    return Question(
        type="daily_digest", from_at=begins, until_at=ends, local_date=day, timezone=name
    )


def _since(since: datetime | None, now: datetime) -> datetime | None:
    if since is None:
        return None
    if since.tzinfo is None:
        raise InputInvalid.of("since", "needs an offset, such as Z")
    if since > now:
        raise InputInvalid.of("since", "is in the future")
    return since.astimezone(UTC)


def _refuse(request: AskRequest, *names: str) -> None:
    for name in names:
        if getattr(request, name) is not None:
            raise InputInvalid.of(name, f"means nothing for {request.type}")
