"""Realtime over HTTP: several topics in one stream of server-sent events, resumable."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, QueryParameter
from litestar.response.base import ASGIResponse

from tidings.db.transaction import Transaction
from tidings.realtime.broadcast import send_in
from tidings.web import examples
from tidings.web.answers import Answer, write
from tidings.web.documented import Idempotent, documented
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.live import open_stream
from tidings.web.stream import EVENTS, position_of
from tidings.web.topics import check_areas

Topics = Annotated[
    list[str],
    QueryParameter(description="1 to 100 topics, each given as `topics=`: `run:…`, `room:…`."),
]


_STREAM = ResponseSpec(str, description="Events as they happen.", media_type=EVENTS)


class BroadcastRequest(msgspec.Struct, frozen=True):
    """An event to send: any JSON of at most 256 KiB."""

    topic: str
    event: str
    payload: Any = None


class BroadcastAnswer(msgspec.Struct, frozen=True):
    """What was sent where; those who listen get it within moments."""

    topic: str
    event: str


@get(
    "/realtime",
    opt={"by_topic": True},
    media_type=EVENTS,
    responses={200: _STREAM, **documented(403, 404)},
    operation_id="listen",
)
async def listen(
    access: GivenAccess,
    services: GivenServices,
    topics: Topics,
    last_event_id: Annotated[str | None, HeaderParameter(name="last-event-id")] = None,
) -> ASGIResponse:
    """What is published to topics from now on, or after Last-Event-ID (SSE).

    First `joined`; then messages, their data `{topic, event, payload, id, at, position}`. The
    stream ends with the rights it was opened with; come back, and hear what you may hear then.
    """
    return await open_stream(services, access, topics, position_of(last_event_id))


@post(
    "/realtime/broadcast",
    status_code=202,
    opt={"scope": "engagement"},
    responses=documented(403, 409, 413, 422),
    operation_id="broadcast",
    operation_class=Idempotent,
)
async def broadcast(
    request: Request[Any, Any, Any],
    data: Annotated[BroadcastRequest, examples.BROADCAST],
    access: GivenAccess,
    services: GivenServices,
) -> Response[BroadcastAnswer]:
    """Send an event to a room or a person; it is durable when this is answered."""
    check_areas(access, [data.topic], write=True)

    async def work(transaction: Transaction) -> Answer:
        send_in(transaction, access.tenant, data.topic, data.event, data.payload)
        return Answer(BroadcastAnswer(data.topic, data.event), 202)

    response = await write(request, services, access.tenant, work)
    services.relay.nudge()
    return response


def realtime_router() -> Router:
    """Everything below `/v1/realtime`."""
    return Router("/v1", route_handlers=[listen, broadcast], tags=["Realtime"])
