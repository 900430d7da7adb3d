"""How far a worker looks ahead, and when it asks for hints, from what happened and when."""

from uuid import UUID

import pytest

from tidings.queue.pace import BUSY_AFTER, SHARED_FOR, TOLD_AGAIN, Pace


def ran(pace, rate, seconds, start=0.0, step=0.001):
    now = start
    pace.ended(now, 0)
    while now < start + seconds:
        now += step
        pace.ended(now, rate * step)
    return now


def test_it_holds_what_it_will_end_soon_and_no_more_than_allowed():
    pace = Pace()
    assert pace.ahead(0, 0.02, 200) == 0
    now = ran(pace, 5000, 0.5)
    assert pace.ahead(now, 0.02, 200) == pytest.approx(100, abs=2)
    assert pace.ahead(now, 0.02, 30) == 30


def test_nothing_is_held_ahead_while_nothing_ends():
    pace = Pace()
    now = ran(pace, 20_000, 0.5)
    assert pace.ahead(now + 1, 0.02, 200) == 0


def test_a_slow_kind_is_not_held_ahead():
    pace = Pace()
    now = ran(pace, 20_000, 0.5)
    now = ran(pace, 40, 1.0, start=now, step=0.025)
    assert pace.ahead(now, 0.02, 200) <= 1


def test_a_rest_is_forgotten():
    pace = Pace()
    now = ran(pace, 20_000, 0.5)
    pace.ended(now + 10, 1)
    assert pace.ahead(now + 10, 0.02, 200) == 0


def test_it_says_once_that_it_waits_for_hints():
    pace = Pace()
    assert pace.idle_mark(0, hears=False) is None
    assert pace.idle_mark(1, hears=True) is True
    pace.claimed(1, is_full=False)
    assert pace.idle_mark(2, hears=True) is None
    assert pace.idle_mark(1 + TOLD_AGAIN, hears=True) is True


def test_only_a_worker_busy_for_a_while_asks_for_no_hints():
    pace = Pace()
    assert pace.idle_mark(0, hears=True) is True
    pace.claimed(0, is_full=True)
    pace.claimed(BUSY_AFTER / 2, is_full=True)
    assert pace.idle_mark(BUSY_AFTER / 2, hears=True) is None
    pace.claimed(BUSY_AFTER, is_full=True)
    assert pace.idle_mark(BUSY_AFTER, hears=True) is False
    pace.claimed(BUSY_AFTER + 1, is_full=False)
    assert pace.idle_mark(BUSY_AFTER + 1, hears=True) is True


ONE, OTHER = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize("brought", [[{ONE, OTHER}], [{ONE}, {OTHER}], [{OTHER}, {ONE, OTHER}]])
def test_it_is_shared_for_a_while_after_jobs_of_several_organizations(brought):
    pace = Pace()
    for organizations in brought:
        pace.served(5.0, organizations)
    assert pace.is_shared(5.0 + 0.9 * SHARED_FOR)
    assert not pace.is_shared(5.0 + SHARED_FOR)


def test_one_organization_shares_with_nobody():
    pace = Pace()
    assert not pace.is_shared(0.0)
    for n in range(9):
        pace.served(n / 10, {ONE})
    assert not pace.is_shared(0.9)
