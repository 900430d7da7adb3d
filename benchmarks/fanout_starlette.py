"""The broadcast that one would write with Starlette: a queue for each client, a stream from it."""

import asyncio
from collections.abc import AsyncIterator

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
