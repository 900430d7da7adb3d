"""What figures say, for any figures."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.intelligence.decide import (
    HALF_LIFE,
    engagement_score,
    mood,
    rate_change,
    recency,
    time_change,
    times,
    trend,
)
from tidings.intelligence.state import Reading

NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
HOUR = int(NOW.timestamp() // 3600)
LONG_AGO = NOW - timedelta(days=100)
SCORES = st.floats(-1, 1)


def readings(*scores: float) -> list[Reading]:
    return [
        Reading(UUID(int=n), "Ana", score, f"quote {n}" if abs(score) >= 0.2 else "")
        for n, score in enumerate(scores)
    ]


@pytest.mark.parametrize(
    ("scores", "sentiment"),
    [
        ([], "neutral"),
        ([0.0] * 5, "neutral"),
        ([0.8], "positive"),
        ([-0.8, 0.0], "negative"),
        ([0.9, -0.9, 0.9, -0.9], "mixed"),
        ([-0.9, *[0.6] * 3], "mixed"),
        ([*[0.5] * 8, *[-0.9] * 3], "positive"),
    ],
)
def test_the_mood_of_a_channel(scores: list[float], sentiment: str) -> None:
    assert mood(readings(*scores)).sentiment == sentiment


def test_the_reason_says_how_many_and_quotes_the_strongest() -> None:
    found = mood(readings(0.3, -0.9, 0.0))
    assert found.reason == (
        "Of the last 3 messages 1 reads positive and 1 negative; the newest weigh most."
    )
    assert found.sentiment == "mixed"
    assert [quote.quote for quote in found.evidence] == ["quote 0", "quote 1"]
    assert mood(readings(0.0)).reason == "The only message so far reads neutral."
    assert mood(readings(-0.4)).reason == "The only message so far reads negative."


@given(st.lists(SCORES, min_size=1, max_size=24))
def test_a_score_lies_between_the_worst_and_the_best(scores: list[float]) -> None:
    found = mood(readings(*scores))
    assert min(scores) - 1e-4 <= found.score <= max(scores) + 1e-4
    assert len(found.evidence) <= 2


@given(st.lists(SCORES, max_size=23), SCORES, SCORES)
def test_a_better_message_never_makes_it_worse(
    before: list[float], one: float, other: float
) -> None:
    low, high = sorted((one, other))
    assert mood(readings(low, *before)).score <= mood(readings(high, *before)).score


def test_a_message_loses_half_its_weight_after_as_many_as_said() -> None:
    late = mood(readings(*[0.0] * HALF_LIFE, 1.0)).score
    weights = [0.5 ** (n / HALF_LIFE) for n in range(HALF_LIFE + 1)]
    assert late == pytest.approx(0.5 / sum(weights), abs=1e-4)


@pytest.mark.parametrize(
    ("age", "worth"),
    [
        (timedelta(minutes=-3), 1.0),
        (timedelta(minutes=4, seconds=59), 1.0),
        (timedelta(minutes=5), 0.8),
        (timedelta(minutes=30), 0.6),
        (timedelta(hours=1), 0.4),
        (timedelta(hours=24), 0.2),
        (timedelta(days=400), 0.2),
    ],
)
def test_recency(age: timedelta, worth: float) -> None:
    assert recency(age) == worth


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.timedeltas(timedelta(0)))
def test_a_score_of_engagement_is_from_8_to_100(one: int, other: int, age: timedelta) -> None:
    score = engagement_score(min(one, other), max(one, other), age)
    assert 8 <= score <= 100
    assert engagement_score(max(one, other), max(one, other), timedelta(0)) == 100


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60))
def test_of_times_nine_in_ten_are_within_the_p90(seconds: list[float]) -> None:
    found = times([(0.0, one, "in") for one in seconds])
    assert found.count == len(seconds)
    assert found.median_seconds is not None
    assert found.p90_seconds is not None
    assert found.median_seconds <= found.p90_seconds
    assert sum(one <= found.p90_seconds for one in seconds) >= 0.9 * len(seconds)


def test_of_no_times_there_is_no_median() -> None:
    assert times([]).median_seconds is None


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_the_rate_test_is_symmetric_and_needs_a_real_change(recent: int, previous: int) -> None:
    found = rate_change(recent, previous)
    assert found == -rate_change(previous, recent)
    if found:
        assert (recent > previous) == (found == 1)
        assert max(recent, previous) >= 1.25 * min(recent, previous)


def test_rates() -> None:
    assert rate_change(60, 20) == 1
    assert rate_change(20, 60) == -1
    assert rate_change(12, 8) == 0  # could be chance
    assert rate_change(10_100, 10_000) == 0  # certain, and nothing


SECONDS = st.lists(st.integers(1, 50).map(float), min_size=8, max_size=40)


@given(SECONDS, SECONDS)
def test_the_time_test_is_symmetric(recent: list[float], previous: list[float]) -> None:
    assert time_change(recent, previous) == -time_change(previous, recent)


def test_times_that_change() -> None:
    slow, quick = [600.0 + n for n in range(12)], [60.0 + n for n in range(12)]
    assert time_change(slow, quick) == 1
    assert time_change(quick, slow) == -1
    assert time_change(slow[:7], quick) == 0
    assert time_change([60.0] * 10, [60.0] * 10) == 0
    alternating = [10.0, 1000.0] * 6
    assert time_change([*alternating, 1000.0], [*alternating, 10.0]) == 0
    assert time_change([0.0] * 8, [0.0] * 8) == 0


def activity(recent: int, previous: int, days: int = 7) -> dict[int, int]:
    return {HOUR - 5: recent, HOUR - 24 * days - 5: previous}


@pytest.mark.parametrize(
    ("recent", "previous", "expected"),
    [
        (100, 20, "increasing"),
        (20, 100, "declining"),
        (0, 40, "declining"),
        (50, 52, "stable"),
        (10, 1, "stable"),  # too few
    ],
)
def test_the_trend_of_messages(recent: int, previous: int, expected: str) -> None:
    assert trend(activity(recent, previous), [], LONG_AGO, NOW).trend == expected


def test_answers_that_take_longer_are_a_decline() -> None:
    samples = [((HOUR - 5) * 3600.0, 900.0 + n, "out") for n in range(10)]
    samples += [((HOUR - 24 * 8) * 3600.0, 60.0 + n, "out") for n in range(10)]
    found = trend(activity(50, 50), samples, LONG_AGO, NOW)
    assert found.trend == "declining"
    assert (found.recent_response, found.previous_response) == (904.5, 64.5)
    assert trend(activity(100, 20), samples, LONG_AGO, NOW).trend == "stable"  # they disagree


def test_a_young_channel_has_shorter_windows_and_a_newborn_none() -> None:
    first = NOW - timedelta(days=4, hours=2)
    found = trend(activity(80, 10, days=2), [], first, NOW)
    assert (found.days, found.trend) == (2, "increasing")
    assert trend(activity(80, 10), [], NOW - timedelta(hours=30), NOW).trend == "stable"
    assert trend({}, [], None, NOW).trend == "stable"


@given(
    st.dictionaries(st.integers(HOUR - 400, HOUR + 3), st.integers(1, 30), max_size=60),
    st.floats(0, 40),
)
def test_windows_never_hold_more_than_there_is(counts: dict[int, int], age: float) -> None:
    found = trend(counts, [], NOW - timedelta(days=age), NOW)
    assert 1 <= found.days <= 7
    assert found.recent_messages + found.previous_messages <= sum(counts.values())
