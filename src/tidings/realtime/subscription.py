"""One subscriber's side: events in order, a bounded queue, a position to resume from."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from tidings.realtime.burst import Burst
from tidings.realtime.outbox import Event

Read = Callable[[int], Awaitable[list[Event] | None]]
"""The next page of events after a position, empty at the end, None when some were swept."""

Wanted = Callable[[Event], bool]
"""Whether this subscriber is to see an event of its topics."""

Sink = Callable[[Burst], None]
"""Takes what the hub hands out, at once; it must not wait."""


class Subscription:
    """Events for one subscriber, made by `Hub.subscribe`: iterate it, or `take()` by the burst.

    It begins behind: it reads the outbox page by page, at the consumer's pace but never ahead of
    the hub, and only notes how far that is. Once it has all that the hub handed out, it goes live
    and takes from its queue, or hands on to a sink (`pour`). It ends when the consumer is too slow,
    `dropped` is True then; subscribe again after `position`.
    """

    def __init__(
        self,
        read: Read,
        hub_position: Callable[[], int],
        limit: int,
        wanted: Wanted | None = None,
    ) -> None:
        """`limit` is how many events may wait; `wanted` sees every event before the subscriber."""
        self._read = read
        self._hub_position = hub_position
        self._limit = limit
        self._wanted = wanted
        self._ready: deque[Burst] = deque()
        self._waiting = 0  # events in `_ready`
        self._current: deque[Event] = deque()  # the burst that is iterated
        self._sink: Sink | None = None
        self._wake = asyncio.Event()
        self._behind = True
        self._ended = False
        self._offered = 0  # the highest position that the hub offered
        self._fetched = 0  # the highest position that was queued or read
        self._position = 0  # the position of the event that was handed out last
        self.dropped = False
        self.begun_at = 0

    @property
    def position(self) -> int:
        """Everything up to here was handed out; resume after it."""
        if self._ready or self._current or self._behind or self._ended:
            return self._position
        return max(self._position, self._hub_position())

    @property
    def waiting(self) -> int:
        """How many events wait to be taken."""
        return self._waiting

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self._ended

    def begin(self, position: int, *, behind: bool, last: int) -> None:
        """Start after `position`; `behind` when the hub may not offer everything from there on.

        `last` is the last position that was given by then, kept in `begun_at`.
        """
        self._fetched = self._position = position
        self.begun_at = last
        self._behind = behind or self._offered > position

    def offer(self, burst: Burst) -> None:
        """Take events from the hub. Never blocks: who does not keep up is dropped."""
        self._offered = burst.last
        if self._ended or self._behind:
            return
        fresh = burst.after(self._fetched)
        if fresh is None:
            return
        if self._sink is None and self._waiting + len(fresh.events) > self._limit:
            self.end(dropped=True)
            return
        self._fetched = burst.last
        if self._wanted is not None and (fresh := fresh.kept(self._wanted)) is None:
            return
        if self._sink is not None:
            self._sink(fresh)
            self._position = burst.last
            return
        self._queue(fresh)
        self._wake.set()

    def show(self, burst: Burst) -> None:
        """Take signals: what has no position, is not kept, and does not wait for a full queue."""
        if self._ended or self._behind or self._waiting >= self._limit:
            return
        fresh = burst if self._wanted is None else burst.kept(self._wanted)
        if fresh is None:
            return
        if self._sink is not None:
            self._sink(fresh)
            return
        self._queue(fresh)
        self._wake.set()

    def pour(self, sink: Sink) -> bool:
        """Hand what comes from now on to `sink`; False while something is to be taken first."""
        if self._behind or self._ready or self._current or self._ended:
            return False
        self._position = max(self._position, self._fetched)
        self._sink = sink
        return True

    def end(self, *, dropped: bool = False) -> None:
        """End the iteration, at once; what waits can be read again after `position`."""
        if self._ended:
            return
        self._position = self.position
        self._ended = True
        self.dropped = dropped
        self._ready.clear()
        self._current.clear()
        self._waiting = 0
        self._sink = None
        self._wake.set()

    async def settle(self) -> None:
        """Wait until there is something to take, or nothing more to read, or the end."""
        while self._behind and not self._ready and not self._ended:
            await self._catch_up()

    async def take(self) -> list[Burst]:
        """All that waits, at least one burst; none at the end. Cancelling the wait loses nothing.

        What was taken counts as handed out.
        """
        while not self._ended:
            if self._ready:
                taken = list(self._ready)
                self._ready.clear()
                self._waiting = 0
                self._position = max(self._position, *(burst.last for burst in taken))
                return taken
            await self._come()
        return []

    def __aiter__(self) -> "Subscription":
        """Itself."""
        return self

    async def __anext__(self) -> Event:
        """The next event. Cancelling the wait loses nothing."""
        while not self._ended:
            if not self._current and self._ready:
                self._current.extend(self._ready.popleft().events)
            if self._current:
                event = self._current.popleft()
                self._waiting -= 1
                self._position = max(self._position, event.position)
                return event
            await self._come()
        raise StopAsyncIteration

    async def _come(self) -> None:
        if self._behind:
            await self._catch_up()
        else:
            self._wake.clear()
            await self._wake.wait()

    async def _catch_up(self) -> None:
        handed_out = self._hub_position()
        page = await self._read(self._fetched)
        if page is None:
            self.end(dropped=True)
        if page is None or self._ended:
            return
        # The rest comes by the hub, behind the change of rights that may be among it.
        seen = self._hub_position()
        page = [event for event in page if event.position <= seen]
        if page:
            self._fetched = page[-1].position
            burst = Burst(page)
            kept = burst if self._wanted is None else burst.kept(self._wanted)
            if kept is not None:
                self._queue(kept)
            return
        # Nothing was awaited since the page, so nothing can have been offered and overlooked.
        self._fetched = max(self._fetched, handed_out)
        self._behind = self._offered > self._fetched

    def _queue(self, burst: Burst) -> None:
        self._ready.append(burst)
        self._waiting += len(burst.events)
