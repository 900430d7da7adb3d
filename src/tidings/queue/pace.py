"""How fast a worker goes: what it should take and hold, and whether an enqueue should wake it."""

import math
from collections.abc import Set as AbstractSet
from uuid import UUID

_SMOOTH = 0.02
"""Seconds over which the rate is smoothed."""

BUSY_AFTER = 0.5
"""Seconds of full claims after which a worker asks for no hints: it comes by itself."""

TOLD_AGAIN = 20.0
"""Seconds after which a worker says again that it listens; who is silent for a minute is dead."""

SHARED_FOR = 1.0
"""Seconds after a job of another organization than before in which the worker is shared."""


class Pace:
    """Fed with what happened and when, in seconds of one clock; decides without any other."""

    def __init__(self) -> None:
        """At rest."""
        self._rate = 0.0
        self._ended_at: float | None = None
        self._full_since: float | None = None
        self._told: bool | None = None
        self._told_at = -math.inf
        self._served: AbstractSet[UUID] = frozenset()
        self._shared_until = -math.inf

    def ended(self, now: float, jobs: int) -> None:
        """So many jobs ended since the last time."""
        if self._ended_at is not None:
            passed = max(now - self._ended_at, 1e-6)
            keeps = math.exp(-passed / _SMOOTH)
            self._rate = keeps * self._rate + (1 - keeps) * jobs / passed
        self._ended_at = now

    def ahead(self, now: float, seconds: float, most: int) -> int:
        """How many jobs it will end in the coming seconds at this rate, `most` at most.

        The rate falls by itself while nothing ends.
        """
        if self._ended_at is None:
            return 0
        rate = self._rate * math.exp((self._ended_at - now) / _SMOOTH)
        return min(most, int(rate * seconds))

    def served(self, now: float, organizations: AbstractSet[UUID]) -> None:
        """A claim brought jobs of these."""
        if len(self._served | organizations) > 1:
            self._shared_until = now + SHARED_FOR
        self._served = organizations

    def is_shared(self, now: float) -> bool:
        """Whether several organizations have had jobs lately."""
        return now < self._shared_until

    def claimed(self, now: float, *, is_full: bool) -> None:
        """A claim got all that it asked for, or not."""
        if not is_full:
            self._full_since = None
        elif self._full_since is None:
            self._full_since = now

    def idle_mark(self, now: float, *, hears: bool) -> bool | None:
        """What the next claim should say of this worker's idleness; None for nothing new."""
        if not hears:
            return None
        idle = self._full_since is None or now - self._full_since < BUSY_AFTER
        if idle == self._told and now - self._told_at < TOLD_AGAIN:
            return None
        self._told, self._told_at = idle, now
        return idle
