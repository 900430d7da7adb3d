"""A WebSocket client for tests: JSON in, JSON out."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

PATIENCE = 20


class Socket:
    """One connection; requests are answered by `ref`, events are kept until they are asked for."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self._kept: list[dict[str, Any]] = []
        self._ref = 0

    async def tell(self, **request: Any) -> None:
        await self.connection.send(json.dumps(request))

    async def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        self._ref += 1
        await self.tell(ref=self._ref, **request)
        while True:
            message = await self._receive()
            if message.get("ref") == self._ref:
                return message
            self._kept.append(message)

    async def join(self, *topics: str, **more: Any) -> int:
        answer = await self.ask(type="join", topics=list(topics), **more)
        assert answer["type"] == "joined", answer
        return int(answer["position"])

    async def next(self) -> dict[str, Any]:
        """The next message that answers no request."""
        return self._kept.pop(0) if self._kept else await self._receive()

    async def payloads(self, count: int) -> list[Any]:
        """The payloads of the next events."""
        return [(await self.next())["payload"] for _ in range(count)]

    async def _receive(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            message: dict[str, Any] = json.loads(await self.connection.recv())
        return message


@asynccontextmanager
async def open_socket(url: str, key: str | None = None, **headers: str) -> AsyncIterator[Socket]:
    """Connect to the door of a server."""
    if key is not None:
        headers["authorization"] = f"Bearer {key}"
    address = url.replace("http", "ws", 1) + "/v1/realtime/ws"
    # Whether the server is there is for the tests to say, not for a ping that had no time.
    async with connect(
        address, additional_headers=headers, open_timeout=PATIENCE, ping_interval=None
    ) as connection:
        yield Socket(connection)
