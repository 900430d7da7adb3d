from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tidings.base import clock


@pytest.fixture(autouse=True)
def _back() -> Iterator[None]:
    yield
    clock.shift(timedelta(0))


def test_now_is_the_time_in_utc() -> None:
    assert clock.now().tzinfo is UTC
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_shift_counts_from_the_real_time_and_not_from_the_last_one() -> None:
    clock.shift(timedelta(days=2))
    clock.shift(timedelta(days=1))
    moved = clock.now() - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < moved < timedelta(days=1, minutes=1)
