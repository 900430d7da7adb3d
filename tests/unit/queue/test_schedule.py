"""Ticks of schedules, against the definition spelled out minute by minute."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.queue.schedule import Every, cron

moments = st.integers(0, 7 * 365 * 86_400_000).map(
    lambda ms: datetime(2023, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
expressions = st.sampled_from(
    ["* * * * *", "*/7 * * * *", "5,10 3 * * *", "0 2 * * *", "0 */6 1-7 * *", "30 4 * * 1-5"]
)


def ticks(expression, moment):
    """crontab(5), read literally, for one minute."""
    minute, hour, day, month, weekday = expression.split()

    def fits(part, value, low, high):
        for item in part.split(","):
            span, _, step = item.partition("/")
            first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
            end = int(last) if last else high if step else int(first)
            if int(first) <= value <= end and (value - int(first)) % int(step or 1) == 0:
                return True
        return False

    return (
        fits(minute, moment.minute, 0, 59)
        and fits(hour, moment.hour, 0, 23)
        and fits(day, moment.day, 1, 31)
        and fits(month, moment.month, 1, 12)
        and fits(weekday, moment.isoweekday() % 7, 0, 7)
    )


@given(expressions, moments)
def test_latest_and_following_have_no_tick_between_them(expression, moment):
    schedule = cron(expression)
    latest, following = schedule.latest(moment), schedule.following(moment)
    assert latest <= moment < following
    assert ticks(expression, latest)
    assert ticks(expression, following)
    between = latest + timedelta(minutes=1)
    while between < min(following, latest + timedelta(days=2)):
        assert not ticks(expression, between)
        between += timedelta(minutes=1)


@given(moments, st.floats(0.05, 1_000_000))
def test_an_interval_ticks_at_its_multiples(moment, seconds):
    every = Every(seconds)
    latest, following = every.latest(moment), every.following(moment)
    assert latest <= moment < following
    assert every.latest(latest) == latest
    assert abs((following - latest).total_seconds() - seconds) < 0.001


def at(*parts):
    return datetime(*parts, tzinfo=UTC)


def test_well_known_expressions():
    assert cron("0 2 * * *").following(at(2026, 1, 1, 2)) == at(2026, 1, 2, 2)
    assert cron("0 2 * * *").latest(at(2026, 1, 1, 2)) == at(2026, 1, 1, 2)
    # Sunday 03:00, as 0 and as 7.
    for sunday in ("0 3 * * 0", "0 3 * * 7"):
        assert cron(sunday).following(at(2026, 1, 1)) == at(2026, 1, 4, 3)
    assert cron("0 0 29 2 *").following(at(2026, 1, 1)) == at(2028, 2, 29)
    assert cron("0 0 29 2 *").latest(at(2100, 6, 1)) == at(2096, 2, 29)
    assert cron("10/20 0 1 1 *").following(at(2026, 1, 1)) == at(2026, 1, 1, 0, 10)
    # Either day when both are restricted: the 13th, or a Friday.
    assert cron("0 0 13 * 5").following(at(2026, 1, 1)) == at(2026, 1, 2)
    assert cron("0 0 13 * 5").following(at(2026, 1, 9)) == at(2026, 1, 13)
    # 31 February does not exist, but Fridays in February do.
    assert cron("0 0 31 2 5").following(at(2026, 1, 1)) == at(2026, 2, 6)


def test_times_of_other_zones_are_read_as_utc():
    east = timezone(timedelta(hours=5))
    assert cron("0 2 * * *").following(datetime(2026, 1, 1, 6, tzinfo=east)) == at(2026, 1, 1, 2)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "5-1 * * * *",
        "*/0 * * * *",
        "x * * * *",
        "1, * * * *",
        "* * 31 2,4 *",
    ],
)
def test_what_never_ticks_or_makes_no_sense_is_refused(expression):
    with pytest.raises(ValueError, match=r"."):
        cron(expression)


def test_an_interval_is_positive():
    with pytest.raises(ValueError, match="longer than 0"):
        Every(0)
