"""Messages in and out."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.params import FromPath, QueryParameter

from tidings.base.cursor import Page
from tidings.base.text import check_text
from tidings.db.transaction import Transaction
from tidings.messages.hooks import receive_messages
from tidings.messages.ingest import Ingested, ingest_in
from tidings.messages.item import decode_items
from tidings.messages.read import (
    FoundPage,
    Message,
    MessagePage,
    Order,
    Thread,
    ThreadPage,
    get_message,
    get_thread,
    list_messages,
    list_threads,
    search_messages,
)
from tidings.web import examples
from tidings.web.answers import Answer, write
from tidings.web.documented import Idempotent, documented
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.paging import Cursor, Limit
from tidings.web.services import LARGE_BODY


class IngestRequest(msgspec.Struct, frozen=True):
    """Messages, up to 1,000; each is checked by itself."""

    items: list[Any]


@post(
    "/channels/{channel_id:uuid}/messages",
    status_code=200,
    opt={"scope": "messages", "rows": True},
    request_max_body_size=LARGE_BODY,
    responses=documented(403, 404, 409, 413, 422),
    operation_id="ingestMessages",
    operation_class=Idempotent,
)
async def take_in(
    request: Request[Any, Any, Any],
    data: Annotated[IngestRequest, examples.INGEST],
    access: GivenAccess,
    services: GivenServices,
    channel_id: FromPath[UUID],
) -> Response[Ingested]:
    """Store messages by external_id; a repeat changes nothing, a bad item keeps none from it."""
    items, errors = decode_items(data.items)

    async def work(transaction: Transaction) -> Answer:
        taken = await ingest_in(transaction, channel_id, items)
        return Answer(msgspec.structs.replace(taken, errors=errors), 200)

    answer = await write(request, services, access.tenant, work)
    services.relay.nudge()
    return answer


@get(
    "/channels/{channel_id:uuid}/messages",
    opt={"scope": "messages"},
    responses=documented(403, 404),
    operation_id="listMessages",
)
async def messages(
    access: GivenAccess,
    services: GivenServices,
    channel_id: FromPath[UUID],
    limit: Limit = 50,
    cursor: Cursor = None,
    order: Annotated[Order, QueryParameter(description="Which end comes first.")] = "newest",
    thread: Annotated[UUID | None, QueryParameter(description="Only those of a thread.")] = None,
) -> MessagePage:
    """Messages of a channel or of one of its threads, by when they were sent."""
    return await list_messages(
        services.db,
        access.tenant,
        channel_id,
        Page(limit, cursor),
        thread_id=thread,
        order=order,
    )


@get(
    "/channels/{channel_id:uuid}/threads",
    opt={"scope": "messages"},
    responses=documented(403, 404),
    operation_id="listThreads",
)
async def threads(
    access: GivenAccess,
    services: GivenServices,
    channel_id: FromPath[UUID],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ThreadPage:
    """Threads of a channel, the liveliest first."""
    return await list_threads(services.db, access.tenant, channel_id, Page(limit, cursor))


@get(
    "/threads/{thread_id:uuid}",
    opt={"scope": "messages"},
    responses=documented(403, 404),
    operation_id="getThread",
)
async def thread(access: GivenAccess, services: GivenServices, thread_id: FromPath[UUID]) -> Thread:
    """One thread; its messages are those of its channel with `thread=`."""
    return await get_thread(services.db, access.tenant, thread_id)


@get(
    "/messages/search",
    opt={"scope": "messages"},
    responses=documented(403),
    operation_id="searchMessages",
)
async def search(
    access: GivenAccess,
    services: GivenServices,
    q: Annotated[
        str,
        QueryParameter(
            min_length=1, max_length=1000, description='Words, "phrases", OR, and -words.'
        ),
    ],
    limit: Limit = 20,
    cursor: Cursor = None,
    channel: Annotated[UUID | None, QueryParameter(description="Only in this channel.")] = None,
) -> FoundPage:
    """Messages that answer a search in the channels that you see, the newest first."""
    return await search_messages(
        services.db,
        access.tenant,
        check_text("q", q),
        Page(limit, cursor),
        channel_id=channel,
    )


@get(
    "/messages/{message_id:uuid}",
    opt={"scope": "messages"},
    responses=documented(403, 404),
    operation_id="getMessage",
)
async def message(
    access: GivenAccess, services: GivenServices, message_id: FromPath[UUID]
) -> Message:
    """One message."""
    return await get_message(services.db, access.tenant, message_id)


@post(
    "/hooks/messages/{token:str}",
    status_code=200,
    opt={"public": True, "rows": True},
    request_max_body_size=LARGE_BODY,
    responses=documented(404, 409, 413),
    operation_id="receiveMessages",
    security=[],
)
async def receive(
    request: Request[Any, Any, Any], services: GivenServices, token: FromPath[str]
) -> Ingested:
    """Messages, signed as Standard Webhooks; a repeated delivery changes nothing."""
    headers = dict(request.headers.items())
    taken = await receive_messages(services.db, services.keys, token, headers, request.body)
    services.relay.nudge()
    return taken


def messages_router() -> Router:
    """Messages of channels, threads, search, and the address of webhooks."""
    return Router(
        "/v1",
        route_handlers=[take_in, messages, threads, thread, search, message, receive],
        tags=["Messages"],
    )
