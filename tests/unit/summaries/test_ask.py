"""Days in time zones, and dates that words name."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.base.ids import uuid7
from tidings.summaries.ask import AskRequest, check, day_in
from tidings.summaries.due import as_due, due_in

NOW = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
ZONES = st.sampled_from(["UTC", "Europe/Oslo", "America/St_Johns", "Pacific/Apia", "Asia/Kolkata"])


@given(day=st.dates(date(1990, 1, 1), date(2060, 1, 1)), name=ZONES)
def test_days_follow_each_other_without_a_gap(day: date, name: str) -> None:
    zone = ZoneInfo(name)
    begins, ends = day_in(zone, day)
    assert ends == day_in(zone, day + timedelta(days=1))[0]
    # Apia left out 30 December 2011: that day has no time in it.
    assert timedelta(0) <= ends - begins <= timedelta(hours=25)
    if ends > begins:
        assert begins.astimezone(zone).date() == day
        assert (ends - timedelta(microseconds=1)).astimezone(zone).date() == day


def test_a_day_with_a_clock_change_has_its_own_length() -> None:
    begins, ends = day_in(ZoneInfo("Europe/Oslo"), date(2026, 3, 29))
    assert ends - begins == timedelta(hours=23)


def test_today_is_the_askers() -> None:
    oslo = check(AskRequest(type="daily_digest", timezone="Europe/Oslo"), NOW)
    assert oslo.local_date == date(2026, 3, 3)
    assert oslo.from_at == datetime(2026, 3, 2, 23, tzinfo=UTC)
    assert check(AskRequest(type="daily_digest"), NOW).local_date == date(2026, 3, 2)


def test_since_is_a_moment_whatever_its_offset() -> None:
    at = datetime(2026, 3, 2, 10, tzinfo=ZoneInfo("Europe/Oslo"))
    reference = uuid7()
    found = check(AskRequest(type="channel", reference=reference, since=at), NOW)
    assert (found.from_at, found.channel_id) == (datetime(2026, 3, 2, 9, tzinfo=UTC), reference)
    thread = check(AskRequest(type="thread", reference=reference), NOW)
    assert (thread.thread_id, thread.channel_id, thread.reference) == (reference, None, reference)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("I will send it by Friday.", "2026-03-06"),
        ("Please do it by Monday", "2026-03-09"),
        ("next monday then", "2026-03-09"),
        ("I'll do it tomorrow", "2026-03-03"),
        ("today, I promise", "2026-03-02"),
        ("until 2026-04-01 at the latest", "2026-04-01"),
        ("by the 12th of March", "2026-03-12"),
        ("on March 1st", "2027-03-01"),
        ("on 30 Feb", None),
        ("2026-13-01", None),
        ("I like Fridays", None),
        ("I may do it", None),
        ("soon", None),
    ],
)
def test_due_is_the_day_that_the_words_name(text: str, due: str | None) -> None:
    assert due_in(text, date(2026, 3, 2)) == due


@settings(max_examples=30)
@given(text=st.text(max_size=60))
def test_due_is_a_date_or_nothing(text: str) -> None:
    due = due_in(text, date(2026, 3, 2))
    assert due is None or date.fromisoformat(due)


@pytest.mark.parametrize(
    ("given_due", "kept"),
    [(None, None), ("2026-03-06", "2026-03-06"), ("2026-02-30", None), ("Friday", None)],
)
def test_a_due_date_of_an_engine_is_a_date(given_due: str | None, kept: str | None) -> None:
    assert as_due(given_due) == kept
