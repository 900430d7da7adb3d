"""Loads a fan-out server: many subscribers and one publisher, over raw sockets, in one process.

Run as a program with one argument of JSON; answers each line with one of JSON. It knows as much of
each protocol as it takes to subscribe and to publish, and counts messages by a mark in their
payload, so that it costs less than any server here. Closed loop: at most `window` messages are not
yet delivered to everybody.
"""

import asyncio
import json
import sys
import time
from typing import Any

import uvloop

MARK = b'"@":"'
PAD = "x" * 100
TIMED = 20  # of the subscribers; the others only count


class Load:
    """What was published and received, by all connections together."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given
        self.subscribers: int = given["subscribers"]
        self.published = 0
        self.received = 0
        self.latencies: list[int] | None = None
        self.publisher: Connection | None = None

    @property
    def missing(self) -> int:
        """Deliveries that are still to come."""
        return self.published * self.subscribers - self.received

    def go_on(self) -> None:
        """Publish up to the window."""
        if self.publisher is None:
            return
        room = self.received - (self.published - self.given["window"]) * self.subscribers
        while room >= self.subscribers:
            room -= self.subscribers
            self.published += 1
            self.publisher.publish(f'{{"@":"{time.perf_counter_ns()}","p":"{PAD}"}}')


class Connection(asyncio.Protocol):
    """One subscriber or the publisher, over WebSocket or as a stream of server-sent events."""

    def __init__(self, load: Load, *, hears: bool, is_timed: bool = False) -> None:
        self.load = load
        self.hears = hears
        self.is_timed = is_timed
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.has_asked = False
        self.rest = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        given = self.load.given
        path = given["path"] if self.hears else given.get("publish_path", given["path"])
        headers = {"Host": f"127.0.0.1:{given['port']}", **given.get("headers", {})}
        if given["protocol"] != "sse" or not self.hears:
            headers |= {
                "Upgrade": "websocket",
                "Connection": "Upgrade",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
                "Sec-WebSocket-Version": "13",
            }
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())]
        transport.write("\r\n".join([*lines, "", ""]).encode())

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("closed before it was ready"))

    def data_received(self, data: bytes) -> None:
        if not self.ready.done():
            self.rest += data
            self._greet()
            return
        whole = self.rest + data
        found = whole.count(MARK)
        if found:
            self.load.received += found
            if self.is_timed and self.load.latencies is not None:
                self._time(whole)
            self.load.go_on()
        # A mark that is cut in two is counted when it is whole, a time that is cut not at all.
        cut = whole.rfind(MARK) + len(MARK) if found else 0
        self.rest = whole[max(cut, len(whole) - len(MARK) + 1) :]

    def publish(self, payload: str) -> None:
        self._send(self.load.given["message"].replace('"PAYLOAD"', payload))

    def _greet(self) -> None:
        protocol = self.load.given["protocol"]
        if not self.rest.partition(b" ")[2].startswith((b"101", b"200")) and len(self.rest) > 12:
            self.ready.set_exception(ConnectionError(self.rest[:300].decode()))
        elif b"\r\n\r\n" not in self.rest:
            return
        elif protocol == "socket.io":
            self._greet_socket_io()
        else:
            asked = self.load.given.get("join") if self.hears else None
            if asked is None or b'"joined"' in self.rest:
                self._begin()
            elif not self.has_asked:
                self.has_asked = True
                self._send(asked)

    def _greet_socket_io(self) -> None:
        if b'40{"sid"' in self.rest:
            if self.hears:
                self._send('42["join"]')
            self._begin()
        elif b'0{"sid"' in self.rest and not self.has_asked:
            self.has_asked = True
            self._send("40")

    def _begin(self) -> None:
        self.rest = b""
        self.ready.set_result(None)

    def _send(self, text: str) -> None:
        # A client's frame is masked; a mask of zeros leaves it as it is.
        body = text.encode()
        head = bytes([0x81, 0x80 | len(body)])
        if len(body) > 125:
            head = b"\x81\xfe" + len(body).to_bytes(2, "big")
        self.transport.write(head + b"\0\0\0\0" + body)

    def _time(self, whole: bytes) -> None:
        now = time.perf_counter_ns()
        at = whole.find(MARK)
        while at >= 0:
            begin = at + len(MARK)
            end = whole.find(b'"', begin)
            if end < 0:
                return
            assert self.load.latencies is not None
            self.load.latencies.append(now - int(whole[begin:end]))
            at = whole.find(MARK, end)


async def main() -> None:
    """Connect everybody; for each line that comes, measure and say what came out."""
    load = Load(json.loads(sys.argv[1]))
    every = max(1, load.subscribers // TIMED)
    for first in range(0, load.subscribers, 50):
        numbers = range(first, min(first + 50, load.subscribers))
        await asyncio.gather(
            *(_connect(load, hears=True, is_timed=number % every == 0) for number in numbers)
        )
    publisher = await _connect(load, hears=False)
    await asyncio.sleep(0.3)
    print("ready", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await _measure(load, publisher)), flush=True)


async def _measure(load: Load, publisher: "Connection") -> dict[str, float]:
    load.latencies = None
    load.publisher = publisher
    load.go_on()
    await asyncio.sleep(load.given["warm_up"])
    load.latencies, began, before = [], time.perf_counter(), load.received
    await asyncio.sleep(load.given["seconds"])
    rate = (load.received - before) / (time.perf_counter() - began)
    times = sorted(load.latencies)
    load.publisher = None
    for _ in range(100):  # what is under way arrives, or is missing
        if load.missing == 0:
            break
        await asyncio.sleep(0.1)
    p99 = times[len(times) * 99 // 100] / 1e6 if times else -1.0
    return {"rate": rate, "p99": p99, "missing": load.missing}


async def _connect(load: Load, *, hears: bool, is_timed: bool = False) -> Connection:
    _, connection = await asyncio.get_running_loop().create_connection(
        lambda: Connection(load, hears=hears, is_timed=is_timed), "127.0.0.1", load.given["port"]
    )
    await asyncio.wait_for(connection.ready, 30)
    return connection


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
