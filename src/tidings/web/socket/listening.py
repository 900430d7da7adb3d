"""The topics that one connection hears."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import msgspec
from websockets.frames import CloseCode

from tidings.base.errors import CursorInvalid, InputInvalid, StateConflict, TidingsError
from tidings.realtime.burst import Burst
from tidings.realtime.changes import rows_for
from tidings.realtime.subscribe import Hub
from tidings.realtime.subscription import Subscription
from tidings.realtime.topics import MOST_TOPICS
from tidings.tenancy.access import Access
from tidings.web.problems import as_error, log_failure
from tidings.web.socket.admission import PATH
from tidings.web.socket.line import TOO_SLOW, Line
from tidings.web.socket.messages import Left, frame_answer, frame_event
from tidings.web.topics import check_areas


class _Part(msgspec.Struct, eq=False):
    """Topics that were joined together, and so come in one order."""

    topics: list[str]
    subscription: Subscription


class Listening:
    """Joins, leaves, and writes what is heard."""

    def __init__(self, hub: Hub, line: Line) -> None:
        """Hears nothing yet."""
        self._hub = hub
        self._line = line
        self._parts: list[_Part] = []
        self._suspended = False
        self._feeds: set[asyncio.Task[None]] = set()

    @property
    def topics(self) -> set[str]:
        """All that are heard."""
        return {topic for part in self._parts for topic in part.topics}

    async def join(self, access: Access, topics: Sequence[str], after: int | None) -> int:
        """Hear topics; `start` lets it begin. Returns the position after which.

        Raises as `Hub.join`, `RoleForbidden`, `StateConflict` for a topic that is heard already.
        """
        wanted = sorted(set(topics))
        check_areas(access, wanted)
        twice = self.topics.intersection(wanted)
        if twice:
            raise StateConflict(f"{min(twice)} is joined already; leave it first.")
        if len(self.topics) + len(wanted) > MOST_TOPICS:
            raise InputInvalid(f"A connection joins at most {MOST_TOPICS} topics.")
        return await self._enter(access, wanted, after)

    def leave(self, topics: Sequence[str]) -> None:
        """Hear topics no more; one that is not heard is no error."""
        for part in list(self._parts):
            for topic in [topic for topic in part.topics if topic in topics]:
                self._hub.leave(part.subscription, topic)
                part.topics.remove(topic)
            if not part.topics:
                self._parts.remove(part)

    def suspend(self) -> None:
        """Hear nothing from this moment on, but remember what was heard, and how far."""
        self._suspended = True
        for part in self._parts:
            self._hub.leave(part.subscription)

    async def resume(self, access: Access) -> list[Left]:
        """Hear again what these rights allow, from where it was; what is left out, and why."""
        self.suspend()
        self._suspended = False
        parts, self._parts = self._parts, []
        left: list[Left] = []
        for part in parts:
            for topics in await self._allowed(access, part.topics, left):
                try:
                    await self._enter(access, topics, part.subscription.position)
                except CursorInvalid as error:
                    left.append(Left(topics, code=error.code))
        return left

    def end(self) -> None:
        """Hear nothing any more."""
        for feed in self._feeds:
            feed.cancel()
        self.suspend()
        self._parts.clear()

    async def _allowed(
        self, access: Access, topics: list[str], left: list[Left]
    ) -> list[list[str]]:
        allowed = []
        for topic in topics:
            try:
                check_areas(access, [topic])
                await self._hub.check(access.tenant, [topic])
                allowed.append(topic)
            except TidingsError as error:
                left.append(Left([topic], code=error.code))
        return [allowed] if allowed else []

    async def _enter(self, access: Access, topics: list[str], after: int | None) -> int:
        wanted = rows_for(access.tenant, topics)
        subscription = await self._hub.join(access.tenant, topics, after=after, wanted=wanted)
        part = _Part(list(topics), subscription)
        self._parts.append(part)
        position = subscription.position
        if self._suspended:  # while it was joined
            self._hub.leave(subscription)
        else:
            self._spawn(self._feed(part))
        return position

    async def _feed(self, part: _Part) -> None:
        """Write what was missed; who cannot be told of it goes, and comes back."""
        try:
            await self._catch_up(part)
        except Exception as exception:
            error = as_error(exception)
            log_failure(error, exception, PATH)
            self._line.close(CloseCode.TRY_AGAIN_LATER, error.code)
            self.end()

    async def _catch_up(self, part: _Part) -> None:
        """Write at the client's pace, until the hub can write itself."""
        subscription = part.subscription
        while not subscription.ended:
            await subscription.settle()
            if subscription.pour(self._pour):
                return
            # First of all: what is taken counts as written.
            await self._line.drain()
            for burst in await subscription.take():
                self._line.push(burst.joined(frame_event))
        if subscription.dropped:
            await self._line.drain()
            if part in self._parts:
                self._parts.remove(part)
                self._line.push(frame_answer(Left(part.topics, code=CursorInvalid.code)))

    def _pour(self, burst: Burst) -> None:
        if self._line.push(burst.joined(frame_event)):
            return
        position = min(part.subscription.position for part in self._parts)
        self._line.close(TOO_SLOW, f"too slow; resume after {position}")
        self.end()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._feeds.add(task)
        task.add_done_callback(self._feeds.discard)
