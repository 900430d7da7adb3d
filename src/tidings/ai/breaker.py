"""A circuit breaker for each provider: one that keeps failing is not asked for a while.

closed → open after `FAILURES` in a row → half-open after `OPEN_SECONDS`: exactly one call is let
through, as a probe → closed or open again. Each process has its own, so of several processes each
sends one probe. Only what may pass counts (timeouts, broken connections, 5xx): a refused key or a
bad answer says nothing of the provider's health, and 429 has its own wait. What a call that was let
in before the breaker last opened or closed brings home is not counted: it tells of the past.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from tidings.ai.engine_name import PROVIDERS
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
        self._is_probing = False
        self._phase = 0  # a new one whenever it opens or closes
        self.opened = 0  # how often, for the metrics

    @property
    def state(self) -> State:
        """Where it stands now."""
        if self._opened_at is None:
            return "closed"
        return "half-open" if self._wait(self._opened_at) <= 0 else "open"

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Let one call in, and watch it: a `CallFailed` that the block raises, or none, decides.

        Another exception says nothing of the provider; after it the next call may be the probe.
        Raises `ProviderFailed` with `retry_after` when the provider is not to be asked now.
        """
        is_probe = self._admit()
        phase = self._phase
        try:
            yield
        except CallFailed as failure:
            if failure.is_passing and failure.retry_after is None:
                self._failed(phase)
            else:
                self._worked(phase)
            raise
        else:
            self._worked(phase)
        finally:
            if is_probe:
                self._is_probing = False

    def _admit(self) -> bool:
        """Whether the call is the probe."""
        if self._opened_at is None:
            return False
        wait = self._wait(self._opened_at)
        if wait > 0 or self._is_probing:
            raise ProviderFailed(
                f"{PROVIDERS[self._provider]} API error: it failed {FAILURES} "
                "times in a row and is left alone for a moment.",
                retry_after=max(1.0, wait),
            )
        self._is_probing = True
        return True

    def _wait(self, opened_at: float) -> float:
        return opened_at + OPEN_SECONDS - self._now()

    def _worked(self, phase: int) -> None:
        if phase != self._phase:
            return
        self._failures = 0
        if self._opened_at is not None:
            self._opened_at = None
            self._phase += 1

    def _failed(self, phase: int) -> None:
        if phase != self._phase:
            return
        self._failures += 1
        if self._failures >= FAILURES:
            self._opened_at = self._now()
            self._phase += 1
            self.opened += 1


class Breakers:
    """One for each provider that was asked."""

    def __init__(self) -> None:
        """Starts with none."""
        self.known: dict[str, Breaker] = {}

    def of(self, provider: str) -> Breaker:
        """The provider's."""
        return self.known.setdefault(provider, Breaker(provider))
