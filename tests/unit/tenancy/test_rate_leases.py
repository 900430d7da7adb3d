from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.base import clock
from tidings.tenancy.rate_leases import RateLeases

KEY = b"k" * 32


@pytest.fixture(autouse=True)
def clock_back():
    yield
    clock.shift(timedelta(0))


def test_a_share_is_a_sixtieth_and_at_least_one():
    assert RateLeases(6000).share == 100
    assert RateLeases(1).share == 1


def test_nothing_is_held_at_first():
    leases = RateLeases(60)
    assert leases.spend(KEY) is None
    assert leases.refusal(KEY) is None


def test_a_share_is_spent_to_the_last():
    leases = RateLeases(180)
    leases.receive(KEY, 3, 3, 30)
    assert leases.spend(KEY).remaining == 179
    assert leases.spend(KEY).remaining == 178
    assert leases.spend(KEY).remaining == 177
    assert leases.spend(KEY) is None
    assert leases.refusal(KEY) is None


def test_an_exhausted_limit_refuses_until_the_minute_ends():
    leases = RateLeases(1)
    leases.receive(KEY, 1, 1, 30)
    assert leases.spend(KEY).remaining == 0
    assert leases.refusal(KEY).remaining == 0
    leases.receive(KEY, 0, 1, 30)
    assert leases.spend(KEY) is None
    clock.shift(timedelta(seconds=31))
    assert leases.refusal(KEY) is None


def test_a_share_of_the_last_minute_is_not_spent_in_this():
    leases = RateLeases(600)
    leases.receive(KEY, 10, 10, 5)
    clock.shift(timedelta(seconds=6))
    assert leases.spend(KEY) is None
    leases.receive(KEY, 10, 10, 60)
    assert leases.spend(KEY).remaining == 599


def test_the_credential_unused_longest_is_forgotten():
    leases = RateLeases(600, most_credentials=2)
    for name in (b"a", b"b"):
        leases.receive(name, 10, 10, 60)
    leases.spend(b"a")
    leases.receive(b"c", 10, 10, 60)
    assert leases.spend(b"b") is None
    assert leases.spend(b"a") is not None


@given(
    limit=st.integers(1, 300),
    order=st.lists(st.integers(0, 3), max_size=600),
)
def test_processes_together_never_exceed_the_limit(limit, order):
    processes = [RateLeases(limit) for _ in range(4)]
    taken = allowed = 0
    for turn in order:
        leases = processes[turn]
        if leases.refusal(KEY):
            continue
        rate = leases.spend(KEY)
        if rate is None:  # as take_requests_v1 counts
            granted = min(max(limit - taken, 0), leases.share)
            taken += leases.share
            leases.receive(KEY, granted, min(taken, limit), 60)
            rate = leases.spend(KEY)
        if rate is not None:
            allowed += 1
            assert rate.remaining >= 0
    assert allowed <= limit
    if len(set(order)) == 1:
        assert allowed == min(limit, len(order))
