"""Server-sent events: a sign of life while nothing happens."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

from litestar.response import ServerSentEventMessage

T = TypeVar("T")

EVENTS = "text/event-stream"

QUIET_SECONDS = 15.0
"""A comment after so long, because proxies close connections that seem dead."""

KEEP_ALIVE = ServerSentEventMessage(data=None, comment="quiet")


async def heartbeats(events: AsyncIterator[T]) -> AsyncIterator[T | None]:
    """The events, and None whenever there was none for `QUIET_SECONDS`."""
    waiting: asyncio.Future[T] | None = None
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait([waiting], timeout=QUIET_SECONDS)
            if not done:
                yield None
                continue
            finished, waiting = waiting, None
            try:
                event = finished.result()
            except StopAsyncIteration:
                return
            yield event
    finally:
        if waiting is not None:
            waiting.cancel()
