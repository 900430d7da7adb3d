"""Counts database round trips on the wire, not by asking the code that makes them.

A proxy on a Unix socket reads the frontend's messages. Each Sync or simple Query makes the client
wait for the server once, and so does a Flush with something before it since the last wait: that is
a round trip (PostgreSQL protocol 3, message flow).
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

_WAITS = {ord("S"), ord("Q"), ord("H"), ord("F")}


class CountingProxy:
    """Listens in a folder of its own; `trips` counts since the last `reset()`."""

    def __init__(self, socket_dir: str, port: int) -> None:
        self._upstream = f"{socket_dir}/.s.PGSQL.{port}"
        self.port = port
        self.socket_dir = tempfile.mkdtemp(prefix="wire-")
        self.trips = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def reset(self) -> None:
        self.trips = 0

    def url(self, direct_url: str, direct_dir: str) -> str:
        """The address of the same database through the proxy."""
        from urllib.parse import quote

        return direct_url.replace(quote(direct_dir, safe=""), quote(self.socket_dir, safe=""))

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(
            self._serve, f"{self.socket_dir}/.s.PGSQL.{self.port}"
        )

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(shutil.rmtree, Path(self.socket_dir))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        up_reader, up_writer = await asyncio.open_unix_connection(self._upstream)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._count(reader, up_writer))
                group.create_task(self._copy(up_reader, writer))
        except* (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            up_writer.close()

    async def _count(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:  # start-up packets have no type byte; an SSL request is answered and repeated
            head = await reader.readexactly(8)
            length, code = int.from_bytes(head[:4]), int.from_bytes(head[4:])
            writer.write(head + await reader.readexactly(length - 8))
            if code not in (80877103, 80877104):
                break
        is_waiting_due = False
        while True:
            head = await reader.readexactly(5)
            body = await reader.readexactly(int.from_bytes(head[1:]) - 4)
            if head[0] in _WAITS and (is_waiting_due or head[0] != ord("H")):
                self.trips += 1
            is_waiting_due = head[0] not in _WAITS
            writer.write(head + body)
            if head[0] in _WAITS:
                await writer.drain()

    @staticmethod
    async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()
        raise ConnectionResetError


@asynccontextmanager
async def counting(cluster: Any) -> AsyncIterator[CountingProxy]:
    """A proxy in front of the tests' server."""
    proxy = CountingProxy(cluster.cluster.socket_dir, cluster.cluster.port)
    await proxy.start()
    yield proxy
    await proxy.stop()
