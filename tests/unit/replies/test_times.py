"""Times of day against an oracle that walks minute by minute: zones, DST, midnight, holidays."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.replies.decide import matches
from tidings.replies.hours import Hours, Span, is_open, is_within
from tidings.replies.rule import Conditions, TimeRange

from factories.replies import make_facts, make_rule

ZONES = ["UTC", "Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
MINUTE = timedelta(minutes=1)
quick = settings(max_examples=40, deadline=None)

clocks = st.tuples(st.integers(0, 23), st.sampled_from([0, 1, 29, 30, 59]))
spans = st.tuples(clocks, clocks, st.lists(st.integers(1, 7), max_size=4)).filter(
    lambda each: each[0] != each[1]
)
# Around the two changes of the clocks in the north, one in the south, and any time.
moments = st.one_of(
    st.integers(0, 3 * 24 * 60).map(lambda n: datetime(2026, 3, 28, tzinfo=UTC) + n * MINUTE),
    st.integers(0, 3 * 24 * 60).map(lambda n: datetime(2026, 10, 24, tzinfo=UTC) + n * MINUTE),
    st.integers(0, 3 * 24 * 60).map(lambda n: datetime(2026, 4, 4, tzinfo=UTC) + n * MINUTE),
    st.integers(0, 366 * 24 * 60).map(lambda n: datetime(2026, 1, 1, tzinfo=UTC) + n * MINUTE),
)


def open_minutes(around: date, start, end, days) -> set[tuple[date, int, int]]:
    """Every (local date, hour, minute) that is open, by walking from each start to its end."""
    found = set()
    for offset in range(-2, 3):
        day = around + timedelta(days=offset)
        if days and day.isoweekday() not in days:
            continue
        walker, (hour, minute) = day, start
        while (hour, minute) != end:
            found.add((walker, hour, minute))
            minute += 1
            if minute == 60:
                hour, minute = hour + 1, 0
            if hour == 24:
                walker, hour = walker + timedelta(days=1), 0
    return found


def text(clock: tuple[int, int]) -> str:
    return f"{clock[0]:02}:{clock[1]:02}"


@quick
@given(spans, moments, st.sampled_from(ZONES), st.integers(0, 59))
def test_a_time_range_is_what_the_walk_says(span, moment, zone, second):
    start, end, days = span
    at = moment + timedelta(seconds=second)
    local = at.astimezone(ZoneInfo(zone))
    expected = (local.date(), local.hour, local.minute) in open_minutes(
        local.date(), start, end, days
    )
    assert is_within(at, zone, Span(text(start), text(end), days)) is expected
    rule = make_rule(
        timezone="Asia/Tokyo",
        trigger_conditions=Conditions(
            time_range=TimeRange(text(start), text(end), timezone=zone, days=days)
        ),
    )
    assert matches(rule, make_facts(at=at)) is expected


@quick
@given(
    st.lists(spans, max_size=3),
    moments,
    st.sampled_from(ZONES),
    st.lists(st.dates(date(2026, 3, 27), date(2026, 3, 31)), max_size=2),
)
def test_business_hours_are_what_the_walk_says(several, at, zone, holidays):
    local = at.astimezone(ZoneInfo(zone))
    minute = (local.date(), local.hour, local.minute)
    within = not several or any(minute in open_minutes(local.date(), *span) for span in several)
    expected = within and local.date() not in holidays
    hours = Hours(zone, [Span(text(s), text(e), d) for s, e, d in several], holidays)
    assert is_open(at, hours) is expected
    for side in ("inside", "outside"):
        rule = make_rule(trigger_conditions=Conditions(business_hours=side))
        assert matches(rule, make_facts(at=at, hours=hours)) is (expected == (side == "inside"))


@quick
@given(st.dates(date(2026, 3, 27), date(2026, 3, 31)), st.integers(0, 5), moments)
def test_out_of_office_keeps_to_its_days(first, length, at):
    last = first + timedelta(days=length)
    rule = make_rule(
        rule_type="out_of_office", timezone="Pacific/Auckland", away_from=first, away_until=last
    )
    today = at.astimezone(ZoneInfo("Pacific/Auckland")).date()
    days = {first + timedelta(days=n) for n in range(length + 1)}
    assert matches(rule, make_facts(at=at)) is (today in days)


def test_the_hour_that_is_there_twice_and_the_one_that_is_not():
    """Oslo, 25 October 2026: 02:30 comes twice; 29 March: it does not come at all."""
    span = Span("02:00", "03:00", [7])
    twice = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1, 2)]
    assert [is_within(at, "Europe/Oslo", span) for at in twice] == [True, True, False]
    never = [datetime(2026, 3, 29, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    assert [is_within(at, "Europe/Oslo", span) for at in never] == [False, False]


def test_over_midnight_the_days_are_those_of_the_start():
    friday_night = Span("22:00", "06:00", [5])
    at = datetime(2026, 3, 6, 23, tzinfo=UTC)  # a Friday
    assert is_within(at, "UTC", friday_night)
    assert is_within(at + timedelta(hours=6), "UTC", friday_night)
    assert not is_within(at + timedelta(hours=7), "UTC", friday_night)  # 06:00 is the end
    assert not is_within(at - timedelta(hours=24), "UTC", friday_night)
    assert not is_within(at - timedelta(hours=18), "UTC", friday_night)  # Friday 05:00


def test_holidays():
    day = date(2026, 3, 2)
    closed = Hours("UTC", (), [day])
    for asked, hours, expected in (
        ("on", closed, True),
        ("off", closed, False),
        ("on", Hours(), False),
        ("off", Hours(), True),
        ([day], Hours(), True),
        ([date(2026, 3, 3)], closed, False),
        ([], Hours(), True),
    ):
        rule = make_rule(trigger_conditions=Conditions(holidays=asked))
        assert matches(rule, make_facts(hours=hours)) is expected, asked
