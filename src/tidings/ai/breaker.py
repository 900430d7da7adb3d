"""A circuit breaker for each provider: one that keeps failing is not asked for a while.

closed → open after `FAILURES` in a row → half-open after `OPEN_SECONDS`: a call tries, as may those
that were let in before it was sent → closed or open again. Each process has its own. Only what may
pass counts (timeouts, broken connections, 5xx): a refused key or a bad answer says nothing of the
provider's health, and 429 has its own wait.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from tidings.ai.engines.call import CallFailed
from tidings.base.errors import ProviderFailed

FAILURES = 5
OPEN_SECONDS = 30.0

State = Literal["closed", "open", "half-open"]


class Breaker:
    """That of one provider."""

    def __init__(self, provider: str, now: Callable[[], float] = time.monotonic) -> None:
        """Starts closed; `now` in seconds."""
        self._provider = provider
        self._now = now
        self._failures = 0
        self._opened_at: float | None = None
        self._is_trying = False
        self.opened = 0  # how often, for the metrics

    @property
    def state(self) -> State:
        """Where it stands now."""
        if self._opened_at is None:
            return "closed"
        return "half-open" if self._wait() <= 0 else "open"

    def check(self) -> None:
        """Raise `ProviderFailed` with `retry_after` when the provider is not to be asked now."""
        if self._opened_at is None:
            return
        wait = self._wait()
        if wait > 0 or self._is_trying:
            raise ProviderFailed(
                f"The provider {self._provider} failed {FAILURES} times in a row and is left "
                "alone for a moment.",
                retry_after=max(1.0, wait),
            )

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch one call: what the block raises decides. The first after a pause is the test."""
        is_test = self._opened_at is not None
        self._is_trying = self._is_trying or is_test
        try:
            yield
        except CallFailed as failure:
            if failure.is_passing and failure.retry_after is None:
                self._failed()
            else:
                self._worked()
            raise
        else:
            self._worked()
        finally:
            if is_test:
                self._is_trying = False

    def _wait(self) -> float:
        assert self._opened_at is not None
        return self._opened_at + OPEN_SECONDS - self._now()

    def _worked(self) -> None:
        self._failures = 0
        self._opened_at = None

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= FAILURES:
            self._opened_at = self._now()
            self.opened += 1


class Breakers:
    """One for each provider that was asked."""

    def __init__(self) -> None:
        """Starts with none."""
        self.known: dict[str, Breaker] = {}

    def of(self, provider: str) -> Breaker:
        """The provider's."""
        return self.known.setdefault(provider, Breaker(provider))
