"""A Redis of our own, as one is run that should not lose data: append-only, synced each second."""

import asyncio
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio as redis

CALLERS = 16


@asynccontextmanager
async def open_redis() -> AsyncIterator["redis.Redis"]:
    """A client with a connection for each caller, over loopback TCP as redis-py connects."""
    program = shutil.which("redis-server")
    if program is None:
        sys.exit("redis-server is missing; on Debian: apt-get install redis-server")
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        options = {
            "port": port,
            "bind": "127.0.0.1",
            "dir": folder,
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
        }
        given = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        server = await asyncio.create_subprocess_exec(
            program, *given, stdout=asyncio.subprocess.DEVNULL
        )
        client = redis.Redis(port=port, max_connections=CALLERS)
        try:
            await _answering(client)
            yield client
        finally:
            await client.aclose()
            server.terminate()
            await server.wait()


async def _answering(client: "redis.Redis") -> None:
    for _ in range(100):
        try:
            await client.ping()
            return
        except redis.ConnectionError:
            await asyncio.sleep(0.05)
    sys.exit("redis-server did not start")
