"""An answer leaves in one write."""

import asyncio
from typing import Any

import uvicorn

from tidings.base.settings import Settings
from tidings.web.one_write import Gathered, OneWrite
from tidings.web.serve import server_config


class Wire(asyncio.Transport):
    """Notes what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.writes: list[bytes] = []
        self.closed = asyncio.Event()

    def write(self, data: Any) -> None:
        assert not self.closed.is_set()
        self.writes.append(bytes(data))

    def close(self) -> None:
        self.closed.set()

    def is_closing(self) -> bool:
        return self.closed.is_set()


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers in three pieces, the last one a moment later."""
    headers = [(b"content-length", b"9")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"one", "more_body": True})
    await send({"type": "http.response.body", "body": b"two", "more_body": True})
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": b"end"})


async def test_what_is_said_in_one_turn_is_one_write() -> None:
    config = server_config(app, Settings(_env_file=None))  # type: ignore[call-arg]
    config.load()
    assert config.http_protocol_class is OneWrite
    protocol = OneWrite(config, uvicorn.Server(config).server_state, {})
    wire = Wire()
    protocol.connection_made(wire)
    protocol.data_received(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
    await asyncio.wait_for(wire.closed.wait(), 20)
    head, last = wire.writes
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert head.endswith(b"\r\n\r\nonetwo")
    assert last == b"end"


async def test_lines_keep_their_place() -> None:
    wire = Wire()
    gathered = Gathered(wire, asyncio.get_running_loop())
    gathered.write(b"a")
    gathered.writelines([b"b", b"c"])
    gathered.write(b"d")
    assert not wire.writes
    gathered.close()
    await asyncio.sleep(0)
    assert wire.writes == [b"abcd"]
    assert gathered.is_closing()


async def test_nothing_is_written_to_a_client_who_left() -> None:
    wire = Wire()
    gathered = Gathered(wire, asyncio.get_running_loop())
    gathered.write(b"a")
    wire.close()
    await asyncio.sleep(0)
    assert not wire.writes
