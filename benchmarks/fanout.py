"""Servers that fan out, and the client that loads them; each a process of its own."""

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pairs import Bar, Measure, compare
from place import open_place

HERE = Path(__file__).parent
ROOM = "room:benchmark"
WINDOW = 16
"""Messages that are not delivered to everybody yet, at most."""


class Loads:
    """A client that stays connected to a server; keeps what came out for several bars."""

    def __init__(self, client: asyncio.subprocess.Process) -> None:
        """Made by `load`."""
        self._client = client
        self._p99s: list[float] = []

    async def rate(self) -> float:
        """Messages delivered a second, measured anew."""
        assert self._client.stdin is not None
        assert self._client.stdout is not None
        self._client.stdin.write(b"\n")
        outcome = json.loads(await self._client.stdout.readline())
        assert outcome["missing"] == 0, outcome
        self._p99s.append(outcome["p99"])
        return float(outcome["rate"])

    async def p99(self) -> float:
        """Milliseconds of the slowest hundredth, in the runs of `rate`, one after the other."""
        return self._p99s.pop(0)


@asynccontextmanager
async def load(given: dict[str, Any], *, quick: bool) -> AsyncIterator[Loads]:
    """Connect a client; `given` is what `fanout_client.py` is told."""
    times = {"warm_up": 0.3, "seconds": 0.7} if quick else {"warm_up": 1.0, "seconds": 3.0}
    client = await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "fanout_client.py"),
        json.dumps({"window": WINDOW} | times | given),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert client.stdout is not None
    try:
        if await client.stdout.readline() != b"ready\n":
            sys.exit("the client could not connect")
        yield Loads(client)
    finally:
        if client.returncode is None:
            client.kill()
        await client.wait()


async def compare_both(rate: Bar, p99: Bar, ours: Loads, peer: Loads, pairs: int) -> None:
    """Measure the rate, then report the latencies of the same runs."""
    await compare(rate, ours.rate, peer.rate, pairs)
    slow: tuple[Measure, Measure] = (ours.p99, peer.p99)
    await compare(p99, *slow, pairs)


@asynccontextmanager
async def our_server() -> AsyncIterator[dict[str, Any]]:
    """A web process on a database of its own; what a client is told to load it."""
    async with open_place() as place:
        program = [sys.executable, str(HERE / "fanout_server.py"), place.url(), str(place.home)]
        async with _serving(program) as told:
            await _answers(told["port"])
            message = {"type": "broadcast", "topic": ROOM, "event": "m", "payload": "PAYLOAD"}
            yield {
                "port": told["port"],
                "headers": {"Authorization": f"Bearer {told['key']}"},
                "message": json.dumps(message),
            }


@asynccontextmanager
async def socket_io() -> AsyncIterator[dict[str, Any]]:
    """socket.io in Node.js; needs `npm ci` in `node/`, which `make bench` does."""
    node = shutil.which("node")
    if node is None or not (HERE / "node" / "node_modules").exists():
        sys.exit("socket.io is missing; run `npm ci` in benchmarks/node with Node.js on the PATH")
    async with _serving([node, str(HERE / "node" / "peer_socket_io.cjs")]) as told:
        yield {"port": told["port"], "message": '42["pub","PAYLOAD"]'}


@asynccontextmanager
async def starlette() -> AsyncIterator[dict[str, Any]]:
    """A broadcast written with Starlette, on uvicorn as ours is."""
    async with _serving([sys.executable, str(HERE / "peer_starlette.py")]) as told:
        await _answers(told["port"])
        yield {"port": told["port"], "message": '"PAYLOAD"'}


@asynccontextmanager
async def _serving(program: list[str]) -> AsyncIterator[dict[str, Any]]:
    server = await asyncio.create_subprocess_exec(*program, stdout=asyncio.subprocess.PIPE)
    assert server.stdout is not None
    try:
        told = json.loads(await server.stdout.readline())
        yield told
    finally:
        if server.returncode is None:
            server.terminate()
        await server.wait()


async def _answers(port: int) -> None:
    """Wait until the server answers HTTP: a bound socket alone does not."""
    for _ in range(200):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            answer = await asyncio.wait_for(reader.read(16), 10)
            writer.close()
            if answer:
                return
        except OSError:
            await asyncio.sleep(0.05)
    sys.exit("the server did not start")
