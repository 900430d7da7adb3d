"""A stream of server-sent events that is written by the burst: one chunk for what came at once.

It ends when the rights that it was opened with change or end, in the order of events: clients come
back with their Last-Event-ID, and are let in with what their rights are then.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

import msgspec
from litestar.response.streaming import ASGIStreamingResponse
from litestar.types import Receive, Send

from tidings.base.errors import CredentialInvalid
from tidings.realtime.access import access_topic
from tidings.realtime.burst import Burst
from tidings.realtime.changes import rows_for
from tidings.realtime.outbox import Event
from tidings.realtime.subscription import Subscription
from tidings.tenancy.access import Access, renew_access
from tidings.web import stream
from tidings.web.happened import encode_event
from tidings.web.services import Services
from tidings.web.topics import check_areas

T = TypeVar("T")

LOOK = 60.0
"""Seconds after which rights are looked up though nobody said that they changed: they expire."""

_QUIET = b": quiet\n\n"
_HEADERS = {"cache-control": "no-cache", "connection": "keep-alive", "x-accel-buffering": "no"}


async def open_stream(
    services: Services, access: Access, topics: Sequence[str], after: int | None
) -> "LiveStream":
    """Join topics before the answer begins, so that a refusal is a status.

    Raises as `Hub.join`, `RoleForbidden`, and `CredentialInvalid` for rights that just ended.
    """
    check_areas(access, topics)
    rights = access_topic(access.tenant)
    wanted = rows_for(access.tenant, topics)
    subscription = await services.hub.join(
        access.tenant, [*topics, rights], after=after, wanted=wanted
    )
    opened = LiveStream(services, access, sorted(set(topics)), subscription)
    try:
        # They may have changed before anybody watched them.
        renewed = await renew_access(services.db, access)
    except BaseException:
        services.hub.leave(subscription)
        raise
    if renewed == access:
        return opened
    services.hub.leave(subscription)
    return await open_stream(services, renewed, topics, after)


async def while_allowed(
    services: Services, access: Access, events: AsyncIterator[T]
) -> AsyncIterator[T | None]:
    """The events, None when it was quiet for a while; ends when the rights change or end."""
    async with services.hub.subscribe(access.tenant, [access_topic(access.tenant)]) as rights:
        await rights.settle()
        clock = asyncio.get_running_loop().time
        due = clock()
        async for event in stream.heartbeats(events):
            # The hub hands a change of rights out before what was published beside it.
            if rights.waiting:
                return
            if clock() >= due:
                if not await is_still_allowed(services, access):
                    return
                due = clock() + LOOK
            yield event


async def is_still_allowed(services: Services, access: Access) -> bool:
    """Whether the rights are what they were."""
    try:
        return await renew_access(services.db, access) == access
    except CredentialInvalid:
        return False


class LiveStream(ASGIStreamingResponse):
    """The answer; leaves its topics when the client does."""

    def __init__(
        self, services: Services, access: Access, topics: list[str], subscription: Subscription
    ) -> None:
        """`subscription` is to the topics and to the rights of who asks."""
        self._services = services
        self._access = access
        self._topics = topics
        self._rights = access_topic(access.tenant)
        self._subscription = subscription
        self._rights_changed = False
        super().__init__(iterator=self._chunks(), media_type=stream.EVENTS, headers=_HEADERS)

    async def send_body(self, send: Send, receive: Receive) -> None:
        """Write until the client goes or the stream ends."""
        try:
            await super().send_body(send, receive)
        finally:
            self._services.hub.leave(self._subscription)

    async def _chunks(self) -> AsyncIterator[bytes]:
        begun = msgspec.json.encode({"topics": self._topics})
        position = self._subscription.position
        yield b"event: joined\nid: %d\nretry: 1000\ndata: %b\n\n" % (position, begun)
        clock = asyncio.get_running_loop().time
        due = clock() + LOOK
        while (bursts := await self._next()) or not self._subscription.ended:
            if clock() > due:
                if not await is_still_allowed(self._services, self._access):
                    return
                due = clock() + LOOK
            allowed = self._allowed(bursts)
            yield b"".join([burst.joined(_lines) for burst in allowed]) or _QUIET
            if self._rights_changed:
                return

    async def _next(self) -> list[Burst]:
        """What has come; nothing when it was quiet for a while, or at the end."""
        try:
            async with asyncio.timeout(stream.QUIET_SECONDS):
                return await self._subscription.take()
        except TimeoutError:
            return []

    def _allowed(self, bursts: Sequence[Burst]) -> list[Burst]:
        """What came before the rights changed."""
        allowed: list[Burst] = []
        for burst in bursts:
            kept = self._before_rights(burst) if self._rights in burst.topics else burst
            if kept is not None:
                allowed.append(kept)
            if self._rights_changed:
                break
        return allowed

    def _before_rights(self, burst: Burst) -> Burst | None:
        # Older changes were known when it was opened: who resumes before one gets past it.
        known = self._subscription.begun_at
        changes = [e.position for e in burst.events if e.topic == self._rights]
        changed = next((position for position in changes if position > known), None)
        self._rights_changed = changed is not None
        end = burst.last + 1 if changed is None else changed
        return burst.kept(lambda event: event.position < end and event.topic != self._rights)


def _lines(event: Event) -> bytes:
    data = encode_event(event)
    if event.position:
        return b"id: %d\ndata: %b\n\n" % (event.position, data)
    return b"data: %b\n\n" % data
