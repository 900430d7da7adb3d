"""What one person does over one WebSocket: join, leave, send; and what reaches them."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any, Protocol

import msgspec

from tidings.base.errors import InputInvalid, StateConflict, TidingsError
from tidings.realtime.burst import Burst
from tidings.realtime.subscription import Subscription
from tidings.realtime.topics import MOST_TOPICS
from tidings.tenancy.access import Access
from tidings.web.problems import as_error, log_failure
from tidings.web.services import Services
from tidings.web.socket.admission import PATH
from tidings.web.socket.messages import (
    Answer,
    Broadcast,
    Join,
    Joined,
    Leave,
    Left,
    Problem,
    Ref,
    Request,
    Sent,
    frame_answer,
    frame_event,
    read_request,
)
from tidings.web.topics import check_areas

MOST_PENDING = 256
"""Requests of one connection under way; it is not read further while there are as many."""

TOO_SLOW = 4008
"""Close codes above 4000 are ours to give."""


class Line(Protocol):
    """The connection, as a session sees it."""

    def push(self, data: bytes) -> bool:
        """Write whole frames; False when too much waits already, and nothing was written."""

    async def drain(self) -> None:
        """Wait until there is room to write."""

    def pause(self, paused: bool) -> None:
        """Stop reading, or go on."""

    def close(self, code: int, reason: str) -> None:
        """End the connection behind what was written."""


class Session:
    """Requests are done in their order, but broadcasts under way do not wait for each other."""

    def __init__(self, services: Services, access: Access, line: Line) -> None:
        """Begins with no topic."""
        self._services = services
        self._access = access
        self._line = line
        self._joined: dict[str, Subscription] = {}
        self._requests: deque[Request] = deque()
        self._pending = 0
        self._paused = False
        self._worker: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def receive(self, text: bytes) -> None:
        """Take in one message."""
        try:
            request = read_request(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            self._answer(Problem(None, InputInvalid.code, f"This is no request: {error}."))
            return
        self._count(1)
        if isinstance(request, Broadcast) and not self._requests:
            self._spawn(self._broadcast(request))
            return
        self._requests.append(request)
        if self._worker is None:
            self._worker = self._spawn(self._work())

    def end(self) -> None:
        """Leave everything."""
        for task in self._tasks:
            task.cancel()
        for subscription in self._joined.values():
            self._services.hub.leave(subscription)
        self._joined.clear()

    async def _work(self) -> None:
        try:
            while self._requests:
                request = self._requests[0]
                if isinstance(request, Broadcast):
                    self._spawn(self._broadcast(request))
                else:
                    await self._attempt(self._join_or_leave(request), request.ref)
                self._requests.popleft()
        finally:
            self._worker = None

    async def _attempt(self, work: Coroutine[Any, Any, None], ref: Ref) -> None:
        try:
            await work
        except Exception as exception:
            error = as_error(exception)
            log_failure(error, exception, PATH)
            self._refuse(error, ref)
        finally:
            self._count(-1)

    def _refuse(self, error: TidingsError, ref: Ref) -> None:
        self._answer(Problem(ref, error.code, error.message, error.errors))

    # Topics.

    async def _join_or_leave(self, request: Join | Leave) -> None:
        if isinstance(request, Join):
            await self._join(request)
        else:
            self._leave(request.topics)
            self._answer(Left(request.topics, request.ref))

    async def _join(self, request: Join) -> None:
        topics = sorted(set(request.topics))
        check_areas(self._access, topics)
        twice = [topic for topic in topics if topic in self._joined]
        if twice:
            raise StateConflict(f"{twice[0]} is joined already; leave it first.")
        if len(self._joined) + len(topics) > MOST_TOPICS:
            raise InputInvalid(f"A connection joins at most {MOST_TOPICS} topics.")
        subscription = await self._services.hub.join(
            self._access.tenant, topics, after=request.after
        )
        self._joined.update(dict.fromkeys(topics, subscription))
        self._answer(Joined(topics, subscription.position, request.ref))
        self._spawn(self._feed(subscription, topics))

    def _leave(self, topics: list[str]) -> None:
        for topic in topics:
            subscription = self._joined.pop(topic, None)
            if subscription is not None:
                self._services.hub.leave(subscription, topic)

    async def _feed(self, subscription: Subscription, topics: list[str]) -> None:
        """Write what was missed at the client's pace, until the hub can write itself."""
        while True:
            await subscription.settle()
            if subscription.pour(self._pour):
                return
            for burst in await subscription.take():
                await self._line.drain()
                self._line.push(burst.joined(frame_event))
            if subscription.dropped:
                self._leave(topics)
                self._answer(Left(topics, code="cursor_invalid"))
            if not any(self._joined.get(topic) is subscription for topic in topics):
                return

    def _pour(self, burst: Burst) -> None:
        if not self._line.push(burst.joined(frame_event)):
            position = min(subscription.position for subscription in self._joined.values())
            self._line.close(TOO_SLOW, f"too slow; resume after {position}")
            self.end()

    # Sending.

    async def _broadcast(self, request: Broadcast) -> None:
        await self._attempt(self._send(request), request.ref)

    async def _send(self, request: Broadcast) -> None:
        check_areas(self._access, [request.topic], write=True)
        broadcasts = self._services.broadcasts
        send = broadcasts.signal if request.ephemeral else broadcasts.send
        await send(self._access.tenant, request.topic, request.event, bytes(request.payload))
        if request.ref is not None:
            self._answer(Sent(request.ref))

    def _answer(self, answer: Answer) -> None:
        if not self._line.push(frame_answer(answer)):
            self._line.close(TOO_SLOW, "too slow; read your answers")

    def _count(self, by: int) -> None:
        self._pending += by
        paused = self._pending >= MOST_PENDING
        if paused != self._paused:
            self._paused = paused
            self._line.pause(paused)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
