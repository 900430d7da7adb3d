"""The broadcast that one would write with Starlette: a queue for each client, a stream from it.

Run as a program; prints its port.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

clients: set[asyncio.Queue[str]] = set()


async def listen(_request: Request) -> StreamingResponse:
    """Everything that is published from now on."""
    queue: asyncio.Queue[str] = asyncio.Queue()

    async def events() -> AsyncIterator[str]:
        clients.add(queue)
        try:
            yield ": hello\n\n"
            while True:
                yield f"data: {await queue.get()}\n\n"
        finally:
            clients.discard(queue)

    return StreamingResponse(events(), media_type="text/event-stream")


async def publish(socket: WebSocket) -> None:
    """Send each message to everybody."""
    await socket.accept()
    try:
        while True:
            message = await socket.receive_text()
            for queue in clients:
                queue.put_nowait(message)
    except WebSocketDisconnect:
        return


app = Starlette(routes=[Route("/listen", listen), WebSocketRoute("/publish", publish)])


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    # No pings: the client that loads it answers none, and would be sent away after 40 s.
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        loop="uvloop",
        http="httptools",
        ws_ping_interval=None,
    )
    uvicorn.Server(config).run(sockets=[listener])
