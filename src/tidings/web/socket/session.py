"""What one person does over one WebSocket: join, leave, send; for as long as they may."""

import asyncio
from collections import deque
from collections.abc import Coroutine, Sequence
from typing import Any, Final, Literal

import msgspec
from websockets.frames import CloseCode

from tidings.base.errors import CredentialInvalid, InputInvalid, StateConflict
from tidings.base.ids import uuid7
from tidings.realtime.access import access_topic
from tidings.realtime.rooms import BOARD
from tidings.realtime.subscription import Subscription
from tidings.tenancy.access import Access, renew_access
from tidings.web.problems import as_error, log_failure
from tidings.web.services import Services
from tidings.web.socket.admission import PATH
from tidings.web.socket.cursors import Cursors
from tidings.web.socket.line import NO_ACCESS, TOO_SLOW, Line
from tidings.web.socket.listening import Listening
from tidings.web.socket.messages import (
    Answer,
    Broadcast,
    Cursor,
    Done,
    Here,
    Join,
    Joined,
    Leave,
    Left,
    Place,
    Presence,
    Problem,
    Ref,
    Request,
    Sent,
    Who,
    frame_answer,
    read_request,
)
from tidings.web.topics import check_areas

MOST_PENDING = 256
"""Requests of one connection under way; it is not read further while there are as many."""

LOOK = 60.0
"""Seconds after which rights are looked up though nobody said that they changed: they expire."""

_BEGIN: Final = "begin"
_RENEW: Final = "renew"
_Step = Request | Literal["begin", "renew"]


class Session:
    """Requests are done in their order, but broadcasts under way do not wait for each other."""

    def __init__(self, services: Services, access: Access, line: Line) -> None:
        """Hears nothing yet; `begin` comes next."""
        self._services = services
        self._access = access
        self._line = line
        self._id = uuid7()
        self._listening = Listening(services.hub, line)
        self._shown: set[str] = set()
        self._cursors = Cursors(self._tell_cursor)
        self._rights: Subscription | None = None
        self._in_doubt = False
        self._steps: deque[_Step] = deque()
        self._pending = 0
        self._paused = False
        self._worker: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._ended = False

    def begin(self) -> None:
        """Hold the rights against what changed since they were read, and keep an eye on them."""
        self._do(_BEGIN)

    def receive(self, text: bytes) -> None:
        """Take in one message."""
        try:
            request = read_request(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            self._answer(Problem(None, InputInvalid.code, f"This is no request: {error}."))
            return
        self._count(1)
        if isinstance(request, Broadcast) and not self._steps:
            self._spawn(self._attempt(self._send(request), request.ref))
        else:
            self._do(request)

    def end(self) -> None:
        """Let go of everything."""
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        self._listening.end()
        self._cursors.end()
        if self._shown:
            self._shown.clear()
            self._services.presences.hide_soon(self._access.tenant, self._id)
        if self._rights is not None:
            self._services.hub.leave(self._rights)

    def _do(self, step: _Step) -> None:
        if self._ended:
            return
        self._steps.append(step)
        if self._worker is None:
            self._worker = self._spawn(self._work())

    async def _work(self) -> None:
        try:
            while self._steps and not self._ended:
                await self._take(self._steps[0])
                self._steps.popleft()
        finally:
            self._worker = None

    async def _take(self, step: _Step) -> None:
        if isinstance(step, str):
            await self._hold_rights(is_first=step == _BEGIN)
        elif isinstance(step, Broadcast):
            self._spawn(self._attempt(self._send(step), step.ref))
        else:
            await self._attempt(self._answered(step), step.ref)

    async def _attempt(self, work: Coroutine[Any, Any, None], ref: Ref) -> None:
        try:
            await work
        except Exception as exception:
            error = as_error(exception)
            log_failure(error, exception, PATH)
            self._answer(Problem(ref, error.code, error.message, error.errors))
        finally:
            self._count(-1)

    # Requests.

    async def _answered(self, request: Join | Leave | Presence | Who | Cursor) -> None:
        match request:
            case Cursor():
                self._point(request)
            case Join():
                await self._join(request)
            case Leave():
                await self._leave(request)
            case Presence():
                await self._show(request)
            case Who():
                self._require_joined(request.topic)
                present = await self._services.presences.who(self._access.tenant, request.topic)
                self._answer(Here(request.topic, present, request.ref, self._id))

    async def _join(self, request: Join) -> None:
        position = await self._listening.join(self._access, request.topics, request.after)
        self._answer(Joined(request.topics, position, request.ref))

    async def _leave(self, request: Leave) -> None:
        self._listening.leave(request.topics)
        await self._hide(request.topics)
        self._answer(Left(request.topics, request.ref))

    async def _hide(self, topics: Sequence[str]) -> None:
        if shown := self._shown.intersection(topics):
            await self._services.presences.hide(self._access.tenant, self._id, sorted(shown))
            self._shown -= shown
            self._services.relay.nudge()

    async def _show(self, request: Presence) -> None:
        presences, tenant = self._services.presences, self._access.tenant
        self._require_joined(request.topic)
        if request.state is None:
            await presences.hide(tenant, self._id, [request.topic])
            self._shown.discard(request.topic)
        else:
            self._shown.add(request.topic)
            await presences.show(tenant, request.topic, self._id, request.state)
        self._services.relay.nudge()
        self._answer(Done(request.ref))

    def _point(self, request: Cursor) -> None:
        if not request.topic.startswith(f"{BOARD}:"):
            raise InputInvalid(f"{request.topic} is no board; take brainstorm:….")
        if request.topic not in self._shown:
            raise StateConflict(f"Be seen in {request.topic} first.")
        self._cursors.move(request.topic, request.at)
        if request.ref is not None:
            self._answer(Done(request.ref))

    def _tell_cursor(self, topic: str, at: Place | None) -> None:
        # Whoever was let in may have been put out since: nobody hears of them while it is unknown.
        heard = self._listening.topics
        if topic in self._shown and topic in heard and not self._in_doubt:
            self._services.broadcasts.point(self._access.tenant, topic, self._id, at)

    def _require_joined(self, topic: str) -> None:
        if topic not in self._listening.topics:
            raise StateConflict(f"Join {topic} first.")

    async def _send(self, request: Broadcast) -> None:
        check_areas(self._access, [request.topic], write=True)
        broadcasts = self._services.broadcasts
        send = broadcasts.signal if request.ephemeral else broadcasts.send
        await send(self._access.tenant, request.topic, request.event, bytes(request.payload))
        if request.ref is not None:
            self._answer(Sent(request.ref))

    # Rights.

    async def _hold_rights(self, *, is_first: bool) -> None:
        """Look the rights up; go on with what they allow, or end."""
        try:
            if is_first:
                await self._watch_rights()
            access = await renew_access(self._services.db, self._access)
            if self._in_doubt or access != self._access:
                self._in_doubt = False
                self._access = access
                for left in await self._listening.resume(access):
                    # Who may not look at a room is not seen in it either.
                    await self._hide(left.topics)
                    self._answer(left)
        except CredentialInvalid:
            self._line.close(NO_ACCESS, "your access has ended")
            self.end()
        except Exception as exception:
            # Nobody knows, for want of a database say; who comes back is asked anew.
            error = as_error(exception)
            log_failure(error, exception, PATH)
            self._line.close(CloseCode.TRY_AGAIN_LATER, error.code)
            self.end()
        else:
            if self._timer is not None:
                self._timer.cancel()
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(LOOK, self._do, _RENEW)

    async def _watch_rights(self) -> None:
        tenant = self._access.tenant
        self._rights = await self._services.hub.join(tenant, [access_topic(tenant)])
        await self._rights.settle()
        while not self._rights.pour(lambda _: self._doubt()):
            await self._rights.take()
            await self._rights.settle()

    def _doubt(self) -> None:
        # Within the hub's turn: nothing published after the change reaches them on old rights.
        self._in_doubt = True
        self._listening.suspend()
        if self._timer is not None:
            self._timer.cancel()
        self._do(_RENEW)

    # Answers.

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
