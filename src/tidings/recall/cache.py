"""The recall cache: what a process remembers of the database, never past a committed change.

Entries are an organization's: what is kept must be the same for each of its members. A value is
tagged with what it was made of; whoever changes that drops the tag (`invalidate.py` brings it here
from every process). A load that was under way then is overtaken: those who waited for it get its
value, for they asked before, but nobody after them does, and it is not kept.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from tidings.base.tenant import Tenant
from tidings.recall.entries import Entries, Entry, Place, Tags

T = TypeVar("T")

MISSING: Any = object()
"""What `peek` answers for a key that is not held, where None is a value: known to be absent."""

ABSENT_SECONDS = 30.0
"""How long it is remembered that there is nothing, at most."""


class RecallStats(msgspec.Struct, frozen=True):
    """What a cache did since it was made. Seconds are those that loads took, all together."""

    is_on: bool
    size: int
    weight: int
    most: int
    hits: int
    misses: int
    joined: int
    loads: int
    load_seconds: float
    evictions: int
    dropped: int
    stale_prevented: int

    @property
    def hit_rate(self) -> float:
        """Hits to all that was asked for; 0 before anything was."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else 0.0


class _Flight:
    """A load under way. `is_overtaken` once something that it may have read was changed."""

    __slots__ = ("is_overtaken", "tags", "task")

    def __init__(self, tags: tuple[str, ...]) -> None:
        self.tags = tags
        self.is_overtaken = False
        self.task: asyncio.Task[Any]


class Recall:
    """The cache of one process. It is off, and loads each time, until `turn_on`."""

    def __init__(
        self, most: int, ttl: float, *, timer: Callable[[], float] = time.monotonic
    ) -> None:
        """Keeps `most` entries of ordinary size, each for `ttl` seconds unless told otherwise."""
        self._entries = Entries(most)
        self._tags = Tags()
        self._flights: dict[Place, _Flight] = {}
        self._ttl = ttl
        self._timer = timer
        self._get = self._entries.get
        self.on = asyncio.Event()
        """Set while it remembers; for who waits for that."""
        self._hits = self._misses = self._joined = self._loads = 0
        self._evictions = self._dropped = self._stale_prevented = 0
        self._load_seconds = 0.0

    def peek(self, tenant: Tenant, key: str) -> Any:
        """The value of a key of the tenant's organization if it is held, else `MISSING`."""
        entry = self._get((tenant.organization_id.int, key))
        if entry is None or entry.until <= self._timer():
            self._misses += 1
            return MISSING
        self._hits += 1
        return entry.value

    async def get(
        self,
        tenant: Tenant,
        key: str,
        load: Callable[[], Awaitable[T | None]],
        *,
        tags: Iterable[str],
        ttl: float | None = None,
        weigh: Callable[[T], int] = lambda _: 1,
    ) -> T | None:
        """The value of a key, else what `load` answers; None is remembered too, for less long.

        However many ask at once, one loads. `load` reads the primary database, whatever any member
        may read, and begins no earlier than it is called. `tags` name all that it reads: a table's
        trigger drops `meeting:ID` or the whole family `meeting`. `ttl` is in seconds; `weigh` says
        how many ordinary entries a value counts as.
        """
        found = self.peek(tenant, key)
        if found is not MISSING:
            held: T | None = found
            return held
        if not self.on.is_set():
            # Nobody would say that a load which others wait for was overtaken.
            return await load()
        place = (tenant.organization_id.int, key)
        flight = self._flights.get(place)
        if flight is None:
            flight = self._begin(place, load, tuple(tags), ttl, weigh)
        else:
            self._joined += 1
        # Shielded: who is cancelled takes nothing from the others.
        loaded: T | None = await asyncio.shield(flight.task)
        return loaded

    def drop(self, organization_id: UUID, tags: Iterable[str]) -> None:
        """Forget what carries one of the tags. Call it after the change was committed."""
        organization = organization_id.int
        for tag in tags:
            for key in self._tags.keys(organization, tag):
                self._forget((organization, key))

    def turn_on(self) -> None:
        """Begin to remember: from now on every change is heard of."""
        self._clear()
        self.on.set()

    def turn_off(self) -> None:
        """Forget all and remember nothing: changes may be missed from now on."""
        self.on.clear()
        self._clear()

    def stats(self) -> RecallStats:
        """What it did so far."""
        return RecallStats(
            is_on=self.on.is_set(),
            size=len(self._entries),
            weight=self._entries.weight,
            most=self._entries.most,
            hits=self._hits,
            misses=self._misses,
            joined=self._joined,
            loads=self._loads,
            load_seconds=self._load_seconds,
            evictions=self._evictions,
            dropped=self._dropped,
            stale_prevented=self._stale_prevented,
        )

    def _begin(
        self,
        place: Place,
        load: Callable[[], Awaitable[Any]],
        tags: tuple[str, ...],
        ttl: float | None,
        weigh: Callable[[Any], int],
    ) -> _Flight:
        ended = self._entries.pop(place)
        if ended is not None:
            self._tags.remove(place, ended.tags)
        flight = self._flights[place] = _Flight(tags)
        self._tags.add(place, tags)
        flight.task = asyncio.create_task(self._fly(place, flight, load, ttl, weigh))
        # All who asked may have been cancelled: then nobody is left to hear of its error.
        flight.task.add_done_callback(lambda task: task.cancelled() or task.exception())
        return flight

    async def _fly(
        self,
        place: Place,
        flight: _Flight,
        load: Callable[[], Awaitable[Any]],
        ttl: float | None,
        weigh: Callable[[Any], int],
    ) -> Any:
        began = self._timer()
        self._loads += 1
        try:
            value = await load()
        finally:
            self._load_seconds += self._timer() - began
            if not flight.is_overtaken:
                del self._flights[place]
                self._tags.remove(place, flight.tags)
        if flight.is_overtaken:
            self._stale_prevented += 1
            return value
        seconds = self._ttl if ttl is None else ttl
        if value is None:
            seconds = min(seconds, ABSENT_SECONDS)
        # It is as old as its load's beginning.
        weight = 1 if value is None else weigh(value)
        self._keep(place, Entry(value, began + seconds, weight, flight.tags))
        return value

    def _keep(self, place: Place, entry: Entry) -> None:
        self._tags.add(place, entry.tags)
        for gone, evicted in self._entries.put(place, entry, self._timer()):
            self._tags.remove(gone, evicted.tags)
            self._evictions += 1

    def _forget(self, place: Place) -> None:
        entry = self._entries.pop(place)
        if entry is not None:
            self._dropped += 1
            self._tags.remove(place, entry.tags)
        flight = self._flights.pop(place, None)
        if flight is not None:
            flight.is_overtaken = True
            self._tags.remove(place, flight.tags)

    def _clear(self) -> None:
        self._dropped += self._entries.clear()
        self._tags.clear()
        for flight in self._flights.values():
            flight.is_overtaken = True
        self._flights.clear()
