"""What the queue decides without a database, a clock or a network."""

from tidings.base.errors import (
    BudgetExceeded,
    DatabaseBusy,
    DatabaseUnavailable,
    IdempotencyBusy,
    LeaseLost,
    ProviderFailed,
    RateExceeded,
    SourceUnavailable,
    TidingsError,
)

BACKOFF_FIRST = 1.0
BACKOFF_MOST = 300.0
"""Seconds: the ceiling of the first retry, and of every later one."""

DEADLINE_PASSED = "It did not finish before its deadline; start it again."
UNEXPECTED = "Something went wrong that Tidings did not expect; the worker's log has the details."

LONGEST_PROBLEM = 2000
"""Characters of an error that are kept."""

_PASSING = (
    DatabaseBusy,
    DatabaseUnavailable,
    IdempotencyBusy,
    LeaseLost,
    RateExceeded,
    SourceUnavailable,
)


def backoff(attempt: int, chance: float, retry_after: float | None = None) -> float:
    """Seconds to wait after the given try (1 is the first) failed.

    Exponential with full jitter: uniform in 0 … min(300, 2^(attempt - 1)), where `chance` in
    [0, 1) is the random number (Brooker, "Exponential Backoff and Jitter", AWS 2015). Never sooner
    than `retry_after`.
    """
    ceiling = min(BACKOFF_MOST, BACKOFF_FIRST * 2.0 ** min(attempt - 1, 16))
    return max(chance * ceiling, retry_after or 0.0)


def may_retry(error: BaseException) -> bool:
    """Whether the same job may succeed later.

    Of our own errors those that pass by themselves; every other one says that the input or the
    settings must change first. An error we did not foresee is tried again: it may be the machine's.
    """
    if isinstance(error, ProviderFailed):
        # The gateway says when trying again may help: not after a refused key, say.
        return error.retry_after is not None
    return isinstance(error, _PASSING) or not isinstance(error, TidingsError)


def blocks(error: BaseException) -> bool:
    """Whether a budget or a rate refuses the job for now: it waits without using up an attempt."""
    return isinstance(error, BudgetExceeded | RateExceeded)


def problem(error: BaseException) -> str:
    """The sentence that is kept and shown for an error; internals stay in the log."""
    if isinstance(error, TidingsError):
        # PostgreSQL keeps no NUL, and a provider's message may hold anything, at any length.
        text = error.message.replace("\x00", "").encode(errors="replace").decode()
        return text[:LONGEST_PROBLEM] or UNEXPECTED
    return UNEXPECTED


def next_pause(pause: float, *, least: float, most: float, found: bool) -> float:
    """Seconds until the next poll: doubling while nothing is found, `least` after something was."""
    return least if found else min(most, max(least, pause * 2))
