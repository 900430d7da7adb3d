"""Backoff, what is tried again, and what is said about an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.base import errors
from tidings.queue.decide import (
    BACKOFF_MOST,
    LONGEST_PROBLEM,
    UNEXPECTED,
    backoff,
    may_retry,
    next_pause,
    problem,
)

chances = st.floats(min_value=0, max_value=1, exclude_max=True)


@given(st.integers(1, 10_000), chances)
def test_backoff_stays_below_its_ceiling(attempt, chance):
    assert 0 <= backoff(attempt, chance) <= min(BACKOFF_MOST, 2.0 ** min(attempt - 1, 20))


@given(st.integers(1, 100), chances, st.floats(0, 10_000))
def test_backoff_is_never_sooner_than_asked(attempt, chance, retry_after):
    assert backoff(attempt, chance, retry_after) >= retry_after


def test_backoff_doubles_up_to_five_minutes():
    assert [backoff(n, 0.5) for n in (1, 2, 3, 4)] == [0.5, 1, 2, 4]
    assert backoff(50, 0.5) == BACKOFF_MOST / 2


@pytest.mark.parametrize(
    "error",
    [
        errors.ProviderFailed(retry_after=1),
        errors.SourceUnavailable(),
        errors.DatabaseBusy(),
        errors.DatabaseUnavailable(),
        errors.RateExceeded(),
        OSError(),
        KeyError("x"),
    ],
)
def test_what_passes_by_itself_is_tried_again(error):
    assert may_retry(error)


@pytest.mark.parametrize(
    "error",
    [
        errors.ProviderFailed(),
        errors.InputInvalid(),
        errors.DomainInvalid(),
        errors.RoleForbidden(),
        errors.RowMissing(),
        errors.SourceUnconfigured(),
        errors.AnswerUnreadable(),
        errors.PriceUnknown(),
    ],
)
def test_what_must_be_changed_first_is_not(error):
    assert not may_retry(error)


def test_our_own_errors_say_their_sentence_and_others_none_of_their_internals():
    assert problem(errors.ProviderFailed("OpenAI API error: 500.")) == "OpenAI API error: 500."
    assert problem(KeyError("secret")) == UNEXPECTED


@given(st.text(alphabet=st.characters(), max_size=50))
def test_every_sentence_can_be_stored(message):
    said = problem(errors.ProviderFailed(f"\x00\ud800{message}"))
    assert said
    assert "\x00" not in said
    said.encode()


def test_a_long_sentence_is_cut_and_an_empty_one_replaced():
    assert len(problem(errors.ProviderFailed("x" * 10_000))) == LONGEST_PROBLEM
    assert problem(errors.ProviderFailed("\x00")) == UNEXPECTED


def test_polls_slow_down_until_something_is_found():
    pause, pauses = 0.05, []
    for found in (False, False, False, False, False, False, True):
        pause = next_pause(pause, least=0.05, most=1.0, found=found)
        pauses.append(pause)
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 0.05]
