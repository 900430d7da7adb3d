"""The backplane over NATS: `TIDINGS_BACKPLANE=nats://[user:password@]host[:port][/prefix]`."""

import asyncio
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error

from tidings.realtime.backplane import Outgoing, Signals
from tidings.realtime.duty import log_trouble
from tidings.realtime.outbox import Event
from tidings.realtime.subscribe import Hub

WAKE = "wake"
SIGNAL = "signal"
_PAUSE = 0.5  # seconds between attempts to connect

log = structlog.get_logger(__name__)


class NatsBackplane:
    """Two subjects below the prefix, `tidings` by default: one for each deployment that shares it.

    The server keeps nothing; who was away looks into the database.
    """

    def __init__(self, url: str, hub: Hub) -> None:
        """Connects in `run()`."""
        parts = urlsplit(url)
        self._server = urlunsplit(parts._replace(path="", query="", fragment=""))
        self._prefix = parts.path.strip("/") or "tidings"
        self._hub = hub
        self._signals = Signals(hub)
        self._outgoing = Outgoing()
        self.connected = asyncio.Event()

    async def run(self) -> None:
        """Hear and tell until cancelled; a server that is away is waited for."""
        client = Client()
        try:
            await client.connect(
                self._server,
                name="tidings",
                connect_timeout=5,
                max_reconnect_attempts=-1,
                reconnect_time_wait=_PAUSE,  # type: ignore[arg-type]
                error_cb=self._failed,
                disconnected_cb=self._lost,
                reconnected_cb=self._back,
            )
            await client.subscribe(f"{self._prefix}.{WAKE}", cb=self._hear_wake)
            await client.subscribe(f"{self._prefix}.{SIGNAL}", cb=self._hear_signal)
            with suppress(Error, TimeoutError):
                # The server has them then: what others say from now on is heard.
                await client.flush()
            await self._back()
            await self._tell(client)
        finally:
            self.connected.clear()
            await client.close()

    def published(self, position: int) -> None:
        """Wake the hubs of the others."""
        self._outgoing.put(WAKE, b"%d" % position)

    def show(self, event: Event) -> None:
        """Pass a signal on."""
        self._outgoing.put(SIGNAL, self._signals.encode(event))

    async def _tell(self, client: Client) -> None:
        while True:
            for kind, message in await self._outgoing.take():
                # What is published while nobody can be told, everybody looks for afterwards.
                if not client.is_connected:
                    continue
                try:
                    await client.publish(f"{self._prefix}.{kind}", message)
                except Exception as error:
                    log_trouble(log, "backplane_failed", error)

    async def _hear_wake(self, message: Msg) -> None:
        self._hub.wake(message.data.decode("ascii", "replace"))

    async def _hear_signal(self, message: Msg) -> None:
        self._signals.hear(message.data)

    async def _back(self) -> None:
        self.connected.set()
        self._hub.wake()

    async def _lost(self) -> None:
        self.connected.clear()

    async def _failed(self, error: Exception) -> Any:
        log.warning("backplane_failed", error=type(error).__name__)
