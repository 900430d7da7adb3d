"""The application behind uvicorn, in a thread with a loop of its own."""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import uvicorn

from tidings.base.settings import Settings
from tidings.web.socket.protocol import SocketProtocol
from web.house import House, open_house

T = TypeVar("T")


@dataclass
class Served:
    """A running server. What touches its parts runs in its own loop: `call`."""

    url: str
    house: House
    loop: asyncio.AbstractEventLoop

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the server's loop, from a test that is not async."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    async def acall(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the server's loop, from a test that is async."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))


@contextmanager
def serve(settings: Settings, app_url: str, superuser_url: str) -> Iterator[Served]:
    """Serve while the block lasts."""
    ready: Future[tuple[House, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    listener = socket.socket()
    # Inherited by its connections: uvicorn writes an answer in two, and the second would wait.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)

    async def run() -> None:
        stop = asyncio.Event()
        async with open_house(settings, app_url, superuser_url) as house:
            config = uvicorn.Config(
                house.app, lifespan="off", log_config=None, access_log=False, ws=SocketProtocol
            )
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve([listener]))
            ready.set_result((house, asyncio.get_running_loop(), stop))
            await stop.wait()
            server.should_exit = server.force_exit = True
            await serving

    def work() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=work, name="served")
    thread.start()
    house, loop, stop = ready.result(60)
    yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", house, loop)
    loop.call_soon_threadsafe(stop.set)
    thread.join(120)
    assert not thread.is_alive()
