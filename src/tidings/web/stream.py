"""Server-sent events: a sign of life while nothing happens."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import TypeVar

from litestar.response import ServerSentEventMessage

from tidings.base.errors import InputInvalid

T = TypeVar("T")

EVENTS = "text/event-stream"

QUIET_SECONDS = 15.0
"""A comment after so long, because proxies close connections that seem dead."""

KEEP_ALIVE = ServerSentEventMessage(data=None, comment="quiet")


async def begun(events: AsyncGenerator[T, None]) -> AsyncIterator[T]:
    """The same events once the first is there, so that a refusal is an answer of its own.

    Raised later, it would break off a stream that began with 200, and clients would ask for ever.
    """
    first = await anext(events)

    async def all_of_them() -> AsyncIterator[T]:
        async with aclosing(events):
            yield first
            async for event in events:
                yield event

    return all_of_them()


def position_of(last_event_id: str | None) -> int | None:
    """The position in a Last-Event-ID. Raises `InputInvalid` for one that no stream gave out."""
    if not last_event_id:
        return None
    if not last_event_id.isascii() or not last_event_id.isdigit() or len(last_event_id) > 18:
        raise InputInvalid.of("Last-Event-ID", "is not one that this stream gave out")
    return int(last_event_id)


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
