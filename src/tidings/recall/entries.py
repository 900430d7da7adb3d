"""What the cache holds: entries in order of use, bounded by weight, each with its own end."""

import heapq
from collections.abc import Iterable
from itertools import count
from typing import Any

from cachebox import LRUCache

Place = tuple[int, str]
"""An organization (the integer of its id) and a key in it, or a tag in it."""

_FEW = 64  # ends of entries that are gone are not worth clearing away below this


class Entry:
    """One value and the time, of the cache's timer, at which it ends. None: known to be absent."""

    __slots__ = ("tags", "until", "value", "weight")

    def __init__(self, value: Any, until: float, weight: int, tags: tuple[str, ...]) -> None:
        """`weight` is in entries of ordinary size."""
        self.value = value
        self.until = until
        self.weight = weight
        self.tags = tags


class Entries:
    """Entries by place. The one used longest ago goes first, but what has ended goes before it."""

    def __init__(self, most: int) -> None:
        """`most` is the weight of all entries together."""
        self.most = most
        self.weight = 0
        self._used: LRUCache[Place, Entry] = LRUCache(0)  # the weight is what bounds it
        self._ends: list[tuple[float, int, Place, Entry]] = []
        self._serial = count()
        self.get = self._used.get
        """The entry at a place, which counts as a use of it, or None."""

    def __len__(self) -> int:
        """How many there are, ended ones included."""
        return len(self._used)

    def put(self, place: Place, entry: Entry, now: float) -> list[tuple[Place, Entry]]:
        """Keep an entry at a place where there is none; what had to go for it.

        One that is heavier than all together may be is not kept: it comes back at once.
        """
        if entry.weight > self.most:
            return [(place, entry)]
        gone = []
        while self.weight + entry.weight > self.most:
            out = self._pop_ended(now) or self._used.popitem()
            gone.append(out)
            self.weight -= out[1].weight
        self._used.insert(place, entry)
        self.weight += entry.weight
        heapq.heappush(self._ends, (entry.until, next(self._serial), place, entry))
        if len(self._ends) > _FEW + 2 * len(self._used):
            self._ends = [end for end in self._ends if self._used.peek(end[2]) is end[3]]
            heapq.heapify(self._ends)
        return gone

    def pop(self, place: Place) -> Entry | None:
        """Take the entry at a place out, if there is one."""
        entry: Entry | None = self._used.pop(place, None)
        if entry is not None:
            self.weight -= entry.weight
        return entry

    def clear(self) -> int:
        """Take all out; how many there were."""
        size = len(self._used)
        self._used.clear()
        self._ends.clear()
        self.weight = 0
        return size

    def _pop_ended(self, now: float) -> tuple[Place, Entry] | None:
        while self._ends and self._ends[0][0] <= now:
            _, _, place, entry = heapq.heappop(self._ends)
            if self._used.peek(place) is entry:
                self._used.pop(place)
                return place, entry
        return None


class Tags:
    """Which places carry which tag; a tag `meeting:7` stands under `meeting` too."""

    def __init__(self) -> None:
        """Empty."""
        self._places: dict[Place, set[str]] = {}

    def add(self, place: Place, tags: Iterable[str]) -> None:
        """Note the tags of a place."""
        organization, key = place
        for tag in _with_families(tags):
            self._places.setdefault((organization, tag), set()).add(key)

    def remove(self, place: Place, tags: Iterable[str]) -> None:
        """Forget the tags of a place."""
        organization, key = place
        for tag in _with_families(tags):
            keys = self._places.get((organization, tag))
            if keys is not None:
                keys.discard(key)
                if not keys:
                    del self._places[organization, tag]

    def keys(self, organization: int, tag: str) -> list[str]:
        """The keys of an organization that carry a tag."""
        return list(self._places.get((organization, tag), ()))

    def __len__(self) -> int:
        """How many tags there are."""
        return len(self._places)

    def clear(self) -> None:
        """Forget all."""
        self._places.clear()


def _with_families(tags: Iterable[str]) -> Iterable[str]:
    return {name for tag in tags for name in (tag, tag.partition(":")[0])}
