"""The KV store over HTTP. Keys come from the raw path: `a//b`, `/a` and `a/` are three keys."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import unquote_to_bytes

import msgspec
from litestar import Request, Response, Router, delete, get, post, put
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from tidings.base.errors import RowMissing
from tidings.db.transaction import Transaction
from tidings.kv.entry import Entry, Page
from tidings.kv.operations import Operation, OperationResult, ttl_of
from tidings.kv.stats import KvStats, read_stats
from tidings.kv.store import mutate_in
from tidings.tenancy.access import Access
from tidings.web import examples
from tidings.web.answers import Answer, write
from tidings.web.auth import provide_access, services_of
from tidings.web.documented import Idempotent, OfKey, documented
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.keys_in_path import ROOT
from tidings.web.kv_listing import list_entries
from tidings.web.live import while_allowed
from tidings.web.paging import Cursor, Limit
from tidings.web.preconditions import IfMatch, absent_only, etag, expected_version
from tidings.web.services import KV_BODY, LARGE_BODY, Services
from tidings.web.stream import EVENTS, KEEP_ALIVE, begun, position_of

Prefix = Annotated[
    str, QueryParameter(max_length=1024, description="Keys that begin so; plain text.")
]
IfNoneMatch = Annotated[
    str | None, HeaderParameter(name="if-none-match", description="`*`: only when it is not there.")
]


class SetRequest(msgspec.Struct, frozen=True):
    """A value, any JSON of at most 1 MiB, and how long and how safely it is kept."""

    value: Any
    ttl_seconds: float | None = None
    durability: Literal["full", "relaxed"] = "full"


class SetAnswer(msgspec.Struct, frozen=True):
    """What a write left behind."""

    key: str
    version: int
    expires_at: datetime | None


class BatchRequest(msgspec.Struct, frozen=True):
    """Up to 1,000 operations in order; `atomic`: all or none."""

    operations: list[Operation]
    atomic: bool = True


class BatchAnswer(msgspec.Struct, frozen=True):
    """A result for each operation, in order."""

    results: list[OperationResult]


def key_of(request: Request[Any, Any, Any]) -> str:
    """The key in the raw path, percent-decoded once, nothing normalised.

    Raises `RowMissing` where the router tidied the way to the keys (`/v1//kv/a`): what stands after
    it is not sure to be the key.
    """
    raw: bytes = request.scope["raw_path"]
    if not raw.startswith(ROOT):
        raise RowMissing("Keys are below /v1/kv/, spelt so.")
    # `check_addresses` has seen that it is UTF-8.
    return unquote_to_bytes(raw[len(ROOT) :]).decode()


@put(
    "/kv/{key:str}",
    opt={"scope": "kv"},
    request_max_body_size=KV_BODY,
    responses=documented(403, 404, 412, 413),
    operation_id="setKey",
    operation_class=OfKey,
)
async def set_key(
    request: Request[Any, Any, Any],
    data: Annotated[SetRequest, examples.SET_KEY],
    access: GivenAccess,
    services: GivenServices,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Response[SetAnswer]:
    """Set a key; with If-Match only at that version, with If-None-Match: * only when new."""
    key = key_of(request)
    written = await services.kv.set(
        access.tenant,
        key,
        data.value,
        ttl=ttl_of(data.ttl_seconds),
        if_version=expected_version(if_match),
        only_if_absent=absent_only(if_none_match),
        relaxed=data.durability == "relaxed",
    )
    services.relay.nudge()
    body = SetAnswer(key, written.version, written.expires_at)
    return Response(body, headers={"etag": etag(written.version)})


@get(
    "/kv/{key:str}",
    opt={"scope": "kv"},
    responses=documented(403, 404),
    operation_id="getKey",
    operation_class=OfKey,
)
async def get_key(request: Request[Any, Any, Any]) -> Response[Entry]:
    """Read a key."""
    # Asked for by name, both would come through a task group made for each request.
    tenant, kv = provide_access(request).tenant, services_of(request).kv
    entry = await kv.get(tenant, key_of(request))
    if entry is None:
        raise RowMissing("There is no such key here, or it has expired.")
    return Response(entry, headers={"etag": etag(entry.version)})


@delete(
    "/kv/{key:str}",
    opt={"scope": "kv"},
    responses=documented(403, 404, 412),
    operation_id="deleteKey",
    operation_class=OfKey,
)
async def delete_key(
    request: Request[Any, Any, Any],
    access: GivenAccess,
    services: GivenServices,
    if_match: IfMatch = None,
) -> None:
    """Delete a key; deleting one that is not there is no error, so that it may be repeated."""
    version = expected_version(if_match)
    await services.kv.delete(access.tenant, key_of(request), if_version=version)
    services.relay.nudge()


@get("/kv", opt={"scope": "kv"}, responses=documented(403), operation_id="listKeys")
async def list_keys(
    access: GivenAccess,
    services: GivenServices,
    prefix: Prefix = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page:
    """Entries in key order."""
    return await list_entries(services.kv, access.tenant, prefix, limit=limit, cursor=cursor)


@post(
    "/kv-batch",
    status_code=200,
    opt={"scope": "kv"},
    request_max_body_size=LARGE_BODY,
    responses=documented(403, 409, 412, 413, 422),
    operation_id="batchKeys",
    operation_class=Idempotent,
)
async def batch_keys(
    request: Request[Any, Any, Any],
    data: Annotated[BatchRequest, examples.BATCH],
    access: GivenAccess,
    services: GivenServices,
) -> Response[BatchAnswer]:
    """Several operations in one transaction; atomic ones are all done or none."""

    async def work(transaction: Transaction) -> Answer:
        results = await mutate_in(transaction, data.operations, atomic=data.atomic)
        return Answer(BatchAnswer(results), 200)

    response = await write(request, services, access.tenant, work)
    services.relay.nudge()
    return response


@get(
    "/kv-watch",
    opt={"scope": "kv"},
    media_type=EVENTS,
    responses=documented(403),
    operation_id="watchKeys",
)
async def watch_keys(
    access: GivenAccess,
    services: GivenServices,
    prefix: Prefix = "",
    last_event_id: Annotated[str | None, HeaderParameter(name="last-event-id")] = None,
) -> ServerSentEvent:
    """Changes of keys from now on, or after Last-Event-ID, as `set` and `delete` (SSE)."""
    events = _watch(services, access, prefix, position_of(last_event_id))
    return ServerSentEvent(await begun(events))


@get("/debug/kv", opt={"scope": "admin"}, responses=documented(403), operation_id="kvStats")
async def stats(access: GivenAccess, services: GivenServices) -> KvStats:
    """For admins: counts, sizes and ages by prefix."""
    return await read_stats(services.db, access.tenant)


def kv_router() -> Router:
    """Everything below `/v1/kv`."""
    return Router(
        "/v1",
        route_handlers=[set_key, get_key, delete_key, list_keys, batch_keys, watch_keys, stats],
        tags=["KV"],
    )


async def _watch(
    services: Services, access: Access, prefix: str, after: int | None
) -> AsyncGenerator[ServerSentEventMessage, None]:
    async with services.kv.watch(access.tenant, prefix, after=after) as watch:
        yield ServerSentEventMessage(event="watching", data="{}", id=str(watch.position))
        async for change in while_allowed(services, access, watch):
            if change is None:
                yield KEEP_ALIVE
                continue
            text = msgspec.json.encode(change).decode()
            yield ServerSentEventMessage(event=change.op, data=text, id=str(change.position))
