"""One subscriber's side: events in order, a bounded queue, a position to resume from."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from tidings.realtime.outbox import Event

Read = Callable[[int], Awaitable[list[Event] | None]]
"""The next page of events after a position, empty at the end, None when some were swept."""


class Subscription:
    """An async iterator of events, made by `Hub.subscribe`.

    It begins behind: it reads the outbox page by page, at the consumer's pace, and only notes how
    far the hub is. Once it has all that the hub handed out, it goes live and takes from its queue.
    Iteration ends when the consumer is too slow, `dropped` is True then; subscribe again after
    `position`.
    """

    def __init__(self, read: Read, hub_position: Callable[[], int], limit: int) -> None:
        """`limit` is how many events may wait."""
        self._read = read
        self._hub_position = hub_position
        self._limit = limit
        self._ready: deque[Event] = deque()
        self._wake = asyncio.Event()
        self._behind = True
        self._ended = False
        self._offered = 0  # the highest position that the hub offered
        self._fetched = 0  # the highest position that was queued or read
        self._position = 0  # the position of the event that was handed out last
        self.dropped = False

    @property
    def position(self) -> int:
        """Everything up to here was handed out; resume after it."""
        if self._ready or self._behind or self._ended:
            return self._position
        return max(self._position, self._hub_position())

    def begin(self, position: int, *, behind: bool) -> None:
        """Start after `position`; `behind` when the hub may not offer everything from there on."""
        self._fetched = self._position = position
        self._behind = behind or self._offered > position

    def offer(self, event: Event) -> None:
        """Take an event from the hub. Never blocks: who does not keep up is dropped."""
        self._offered = event.position
        if self._ended or self._behind or event.position <= self._fetched:
            return
        if len(self._ready) >= self._limit:
            self.end(dropped=True)
            return
        self._fetched = event.position
        self._ready.append(event)
        self._wake.set()

    def end(self, *, dropped: bool = False) -> None:
        """End the iteration, at once; what waits can be read again after `position`."""
        if self._ended:
            return
        self._position = self.position
        self._ended = True
        self.dropped = dropped
        self._ready.clear()
        self._wake.set()

    def __aiter__(self) -> "Subscription":
        """Itself."""
        return self

    async def __anext__(self) -> Event:
        """The next event. Cancelling the wait loses nothing."""
        while not self._ended:
            if self._ready:
                event = self._ready.popleft()
                self._position = event.position
                return event
            if self._behind:
                await self._catch_up()
            else:
                self._wake.clear()
                await self._wake.wait()
        raise StopAsyncIteration

    async def _catch_up(self) -> None:
        page = await self._read(self._fetched)
        if page is None:
            self.end(dropped=True)
            return
        if page:
            self._fetched = page[-1].position
            self._ready.extend(page)
        elif self._offered <= self._fetched:
            # Nothing was awaited since the page, so nothing can have been offered and overlooked.
            self._behind = False
