"""Rate limits without a write per request: shares of each minute's allowance, held by this process.

The count itself stands in Postgres, shared by all processes. A process takes a sixtieth of the
limit at a time and spends it by itself, so together they never allow more than the limit; what a
process took and did not spend is lost at the end of the minute.
"""

from collections import OrderedDict

import msgspec

from tidings.base.clock import now

MOST_CREDENTIALS = 10_000
"""How many credentials one process remembers; the one least recently used is forgotten."""


class Rate(msgspec.Struct, frozen=True):
    """What the RateLimit headers say: requests a minute, how many are left, seconds to the next."""

    limit: int
    remaining: int
    reset: int


class _Lease(msgspec.Struct):
    ends: float
    held: int
    elsewhere: int


class RateLeases:
    """The shares that this process holds, by credential."""

    def __init__(self, limit: int, most_credentials: int = MOST_CREDENTIALS) -> None:
        """`limit` is in requests a minute for each credential."""
        self.limit = limit
        self.share = max(1, limit // 60)
        self._most = most_credentials
        self._leases: OrderedDict[bytes, _Lease] = OrderedDict()

    def spend(self, credential: bytes) -> Rate | None:
        """Spend one request of a held share; None when the database must be asked for another."""
        lease = self._current(credential)
        if lease is None or lease.held == 0:
            return None
        lease.held -= 1
        return self._rate(lease)

    def refusal(self, credential: bytes) -> Rate | None:
        """The exhausted rate when the database already said that this minute has none left."""
        lease = self._current(credential)
        if lease is None or lease.held > 0 or lease.elsewhere > 0:
            return None
        return self._rate(lease)

    def receive(self, credential: bytes, granted: int, used: int, reset: int) -> None:
        """Keep what the database granted, to be spent.

        `used` counts what all processes took this minute, `reset` the seconds until it ends.
        """
        lease = self._current(credential)
        held = lease.held if lease is not None else 0
        lease = _Lease(now().timestamp() + reset, held + granted, max(self.limit - used, 0))
        self._leases[credential] = lease
        self._leases.move_to_end(credential)
        while len(self._leases) > self._most:
            self._leases.popitem(last=False)

    def _current(self, credential: bytes) -> _Lease | None:
        lease = self._leases.get(credential)
        if lease is None:
            return None
        if lease.ends <= now().timestamp():
            del self._leases[credential]
            return None
        self._leases.move_to_end(credential)
        return lease

    def _rate(self, lease: _Lease) -> Rate:
        reset = max(1, round(lease.ends - now().timestamp()))
        return Rate(self.limit, lease.held + lease.elsewhere, reset)
