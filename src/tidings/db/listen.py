"""LISTEN over one connection of its own, which comes back by itself."""

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
import structlog
from psycopg import sql

log = structlog.get_logger(__name__)

_PAUSE_FIRST = 0.1
_PAUSE_MOST = 10.0
# Nothing is ever sent over this connection, so only keepalives notice a dead peer.
_KEEPALIVE: dict[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "connect_timeout": 5,
}


class Listener:
    """Calls `channels[name](payload)` for every NOTIFY, from `run()` until that is cancelled.

    `url` is a direct address: a pooler in transaction mode drops LISTEN. What is sent while the
    connection is down is lost, so each callback is called with an empty payload after every
    (re)connect: look for yourself. Callbacks must not raise or wait.
    """

    def __init__(
        self,
        url: str,
        channels: Mapping[str, Callable[[str], None]],
        *,
        lost: Callable[[], None] | None = None,
    ) -> None:
        """Connects in `run()`; `lost` is called whenever it listens no more."""
        self._url = url
        self._channels = dict(channels)
        self._lost = lost
        self.connected = asyncio.Event()

    async def run(self) -> None:
        """Listen until cancelled, reconnecting with jittered backoff."""
        pause = _PAUSE_FIRST
        while True:
            try:
                await self._listen()
            except psycopg.Error as error:
                if self.connected.is_set():
                    pause = _PAUSE_FIRST
                log.warning("listener lost its connection", error=type(error).__name__)
            finally:
                self.connected.clear()
                if self._lost is not None:
                    self._lost()
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - jitter
            pause = min(pause * 2, _PAUSE_MOST)

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(
            self._url, autocommit=True, application_name="tidings-listen", **_KEEPALIVE
        ) as connection:
            for channel in self._channels:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            self.connected.set()
            for callback in self._channels.values():
                callback("")
            async for notice in connection.notifies():
                self._channels[notice.channel](notice.payload)
