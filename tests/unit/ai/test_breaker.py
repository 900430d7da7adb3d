"""The breaker: closed, open, half-open, and what counts."""

from contextlib import suppress

import pytest

from tidings.ai.breaker import FAILURES, OPEN_SECONDS, Breaker, Breakers
from tidings.ai.engines.call import CallFailed
from tidings.base.errors import ProviderFailed


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def now() -> Clock:
    return Clock()


@pytest.fixture
def breaker(now: Clock) -> Breaker:
    return Breaker("openai", now)


def call(breaker: Breaker, failure: CallFailed | None = None) -> None:
    with suppress(CallFailed), breaker.watching():
        if failure is not None:
            raise failure


def fail(breaker: Breaker, times: int = FAILURES) -> None:
    for _ in range(times):
        call(breaker, CallFailed("500", is_passing=True))


def test_it_opens_after_failures_in_a_row_and_says_when_to_come_again(
    breaker: Breaker, now: Clock
) -> None:
    fail(breaker, FAILURES - 1)
    call(breaker)
    fail(breaker, FAILURES - 1)
    assert breaker.state == "closed"
    fail(breaker, 1)
    assert (breaker.state, breaker.opened) == ("open", 1)
    now.seconds += 10
    with pytest.raises(ProviderFailed, match="OpenAI API error: it failed 5 times") as told:
        call(breaker)
    assert told.value.retry_after == OPEN_SECONDS - 10


@pytest.mark.parametrize(
    "failure",
    [CallFailed("401"), CallFailed("429", is_passing=True, retry_after=3.0)],
    ids=["a refused key", "a rate limit with its own wait"],
)
def test_what_says_nothing_of_its_health_does_not_count(
    breaker: Breaker, failure: CallFailed
) -> None:
    for _ in range(3 * FAILURES):
        call(breaker, failure)
    assert breaker.state == "closed"


def test_half_open_lets_exactly_one_through_and_closes_when_it_works(
    breaker: Breaker, now: Clock
) -> None:
    fail(breaker)
    now.seconds += OPEN_SECONDS
    assert breaker.state == "half-open"
    with breaker.watching():
        for _ in range(3):
            with pytest.raises(ProviderFailed) as told:
                call(breaker)
            assert told.value.retry_after == 1
    assert breaker.state == "closed"
    call(breaker)


def test_only_the_probe_decides_and_not_who_was_let_in_before(breaker: Breaker, now: Clock) -> None:
    early = [breaker.watching() for _ in range(3)]
    for each in early:
        each.__enter__()
    fail(breaker)
    late = CallFailed("500", is_passing=True)
    early[0].__exit__(None, None, None)
    assert (breaker.state, breaker.opened) == ("open", 1)
    now.seconds += OPEN_SECONDS - 1
    early[1].__exit__(CallFailed, late, None)
    now.seconds += 1
    assert (breaker.state, breaker.opened) == ("half-open", 1)
    with breaker.watching():
        early[2].__exit__(CallFailed, late, None)
        with pytest.raises(ProviderFailed):
            call(breaker)
    assert breaker.state == "closed"


def test_half_open_opens_again_when_the_try_fails(breaker: Breaker, now: Clock) -> None:
    fail(breaker)
    now.seconds += OPEN_SECONDS
    fail(breaker, 1)
    assert (breaker.state, breaker.opened) == ("open", 2)


def test_a_try_that_is_cancelled_leaves_room_for_the_next(breaker: Breaker, now: Clock) -> None:
    fail(breaker)
    now.seconds += OPEN_SECONDS
    with pytest.raises(KeyboardInterrupt), breaker.watching():
        raise KeyboardInterrupt
    assert breaker.state == "half-open"
    call(breaker)
    assert breaker.state == "closed"


def test_each_provider_has_its_own() -> None:
    breakers = Breakers()
    fail(breakers.of("openai"))
    assert breakers.of("openai").state == "open"
    assert breakers.of("anthropic").state == "closed"
    assert set(breakers.known) == {"openai", "anthropic"}
