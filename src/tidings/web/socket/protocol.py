"""The WebSocket as uvicorn speaks it: bytes in, bytes out, nothing between a burst and its socket.

ASGI would make a message, a task switch and a frame of every event for every subscriber. Here an
event is framed once and the same bytes are written to all; `websockets` does the handshake and
reads what clients send.
"""

import asyncio
from typing import Any, cast

from litestar import Litestar
from uvicorn import Config
from uvicorn.server import ServerState
from websockets.exceptions import InvalidState
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.server import ServerProtocol

from tidings.web.problems import MEDIA_TYPE, as_error, log_failure, problem_response
from tidings.web.services import Services
from tidings.web.socket.admission import admit
from tidings.web.socket.session import Session

LONGEST_MESSAGE = 512 * 1024
"""Bytes of one message from a client: a payload of 256 KiB and room for escapes."""
MOST_UNSENT = 1024 * 1024
"""Bytes that may wait for a slow consumer; with the burst on top, it is dropped."""
BEAT = 20.0
"""Seconds between pings; a connection that says nothing from one to the next is gone."""
FAREWELL = 10.0
"""Seconds a client has to answer a close, or to read what is before it."""


class SocketProtocol(asyncio.Protocol):
    """One connection from its upgrade on; uvicorn makes it."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any]
    ) -> None:
        """The services are those of the application that uvicorn serves."""
        app: Any = config.app
        assert isinstance(app, Litestar)
        self._services: Services = app.state.services
        self._connections: set[Any] = server_state.connections
        self._engine = ServerProtocol(max_size=LONGEST_MESSAGE)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._session: Session | None = None
        self._opening: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._alive = True
        self._closing = False
        self._parts: list[bytes | bytearray | memoryview] = []

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the connection; the handshake's bytes come next."""
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Take in what came."""
        self._alive = True
        self._engine.receive_data(data)
        for event in self._engine.events_received():
            if isinstance(event, Handshake):
                self._open(event)
            elif isinstance(event, Frame):
                self._take(event)
        self._flush()

    def pause_writing(self) -> None:
        """Too much waits; whatever comes next drops the client."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._writable.set()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Let go of everything."""
        self._closing = True
        self._connections.discard(self)
        self._writable.set()
        if self._timer is not None:
            self._timer.cancel()
        if self._opening is not None:
            self._opening.cancel()
        if self._session is not None:
            self._session.end()

    def shutdown(self) -> None:
        """Uvicorn's word that the server stops."""
        self.close(CloseCode.SERVICE_RESTART, "the server restarts")
        self._sure.close()

    # What the session calls.

    def push(self, data: bytes) -> bool:
        """Write whole frames; False when too much waits already, and nothing was written."""
        if not self._writable.is_set():
            return False
        if not self._closing:
            self._sure.write(data)
        return True

    async def drain(self) -> None:
        """Wait until there is room to write."""
        # Several may wait, and the first that goes on may fill it again.
        while not self._writable.is_set():
            await self._writable.wait()

    def pause(self, paused: bool) -> None:
        """Stop reading, or go on: a client that asks faster than we answer waits."""
        if self._closing:
            return
        if paused:
            self._sure.pause_reading()
        else:
            self._sure.resume_reading()

    def close(self, code: int, reason: str) -> None:
        """End the connection behind what was written."""
        if self._closing:
            return
        self._closing = True
        try:
            self._engine.send_close(code, reason)
        except InvalidState:
            self._sure.close()
            return
        self._flush()
        self._restart_timer(FAREWELL, self._sure.abort)

    @property
    def _sure(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    # The handshake.

    def _open(self, handshake: Handshake) -> None:
        # Nothing is read until we know who it is, so nothing of theirs waits meanwhile.
        self._sure.pause_reading()
        self._opening = self._loop.create_task(self._admit(handshake))

    async def _admit(self, handshake: Handshake) -> None:
        try:
            access = await admit(self._services, handshake)
        except Exception as exception:
            self._refuse(handshake, exception)
            return
        response = self._engine.accept(handshake)
        self._engine.send_response(response)
        if response.status_code == 101:
            self._sure.set_write_buffer_limits(high=MOST_UNSENT)
            self._session = Session(self._services, access, self)
            self._restart_timer(BEAT, self._beat)
        self._flush()
        self._sure.resume_reading()
        if self._session is not None:
            self._session.begin()

    def _refuse(self, handshake: Handshake, exception: Exception) -> None:
        error = as_error(exception)
        log_failure(error, exception, handshake.path)
        answer = problem_response(error)
        body = answer.render(answer.content, answer.media_type or MEDIA_TYPE).decode()
        response = self._engine.reject(answer.status_code or 500, body)
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = MEDIA_TYPE
        for name, value in answer.headers.items():
            response.headers[name] = value
        self._engine.send_response(response)
        self._flush()

    # Frames.

    def _take(self, frame: Frame) -> None:
        if frame.opcode is Opcode.BINARY:
            self.close(CloseCode.UNSUPPORTED_DATA, "send JSON in text messages")
        elif frame.opcode in (Opcode.TEXT, Opcode.CONT):
            self._parts.append(frame.data)
            if frame.fin:
                text = b"".join(self._parts)
                self._parts.clear()
                if self._session is not None and not self._closing:
                    self._session.receive(text)

    def _flush(self) -> None:
        transport = self._sure
        for data in self._engine.data_to_send():
            if data:
                transport.write(data)
            else:
                transport.close()
        if self._engine.close_expected():
            self._closing = True
            transport.close()

    def _beat(self) -> None:
        if not self._alive:
            self._sure.abort()
            return
        self._alive = False
        self._engine.send_ping(b"")
        self._flush()
        self._restart_timer(BEAT, self._beat)

    def _restart_timer(self, seconds: float, then: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, then)
