"""The send policy, gateways, and whom nothing is sent to."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, Router, delete, get, post, put
from litestar.params import FromPath, QueryParameter

from tidings.approvals.contacts import Kind
from tidings.approvals.do_not_contact import (
    Entry,
    EntryPage,
    add_entry,
    list_entries,
    remove_entry,
)
from tidings.approvals.gateways import (
    GatewayChannel,
    GatewayList,
    GatewaySecret,
    GatewayTest,
    delete_gateway,
    list_gateways,
    set_gateway,
    test_gateway,
)
from tidings.approvals.policy import PolicyChange, SendPolicy, change_policy, get_policy
from tidings.base.cursor import Page
from tidings.base.text import check_text
from tidings.db.transaction import Transaction
from tidings.web import examples
from tidings.web.answers import Answer, keep, write
from tidings.web.documented import Idempotent, documented
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.paging import Cursor, Limit
from tidings.web.preconditions import IfMatch, etag, expected_version


class EntryRequest(msgspec.Struct, frozen=True):
    """Whom to write to no more: an address, a number with its country, a domain, a handle."""

    kind: Kind
    value: str
    reason: str = ""


class GatewayRequest(msgspec.Struct, frozen=True):
    """Where a channel's messages are posted to, signed."""

    url: str


@get(
    "/send-policy",
    opt={"scope": "approvals"},
    responses=documented(403),
    operation_id="getSendPolicy",
)
async def policy(access: GivenAccess, services: GivenServices) -> Response[SendPolicy]:
    """When and how much is sent, what needs no person, and how much was sent today."""
    found = await get_policy(services.db, access.tenant)
    return Response(found, headers={"etag": etag(found.version)})


@put(
    "/send-policy",
    opt={"scope": "admin"},
    responses=documented(403, 412, 413),
    operation_id="setSendPolicy",
)
async def set_policy(
    request: Request[Any, Any, Any],
    data: Annotated[PolicyChange, examples.SEND_POLICY],
    access: GivenAccess,
    services: GivenServices,
    if_match: IfMatch = None,
) -> Response[SendPolicy]:
    """For admins: change the policy; what is not named stays. Audited with its difference."""
    version = expected_version(if_match)

    async def work(transaction: Transaction) -> Answer:
        after = await change_policy(transaction, data, version=version, kind=access.kind)
        return Answer(after, 200, {"etag": etag(after.version)})

    return await write(request, services, access.tenant, work)


@get(
    "/do-not-contact",
    opt={"scope": "approvals"},
    responses=documented(403),
    operation_id="listDoNotContact",
)
async def entries(
    access: GivenAccess,
    services: GivenServices,
    limit: Limit = 50,
    cursor: Cursor = None,
    value: Annotated[
        str | None, QueryParameter(max_length=320, description="Only this address or domain.")
    ] = None,
) -> EntryPage:
    """Whom nothing is sent to, the newest first."""
    wanted = check_text("value", value) if value else None
    return await list_entries(services.db, access.tenant, Page(limit, cursor), value=wanted)


@post(
    "/do-not-contact",
    status_code=201,
    opt={"scope": "approvals"},
    responses=documented(403, 409, 413, 422),
    operation_id="addDoNotContact",
    operation_class=Idempotent,
)
async def add(
    request: Request[Any, Any, Any],
    data: Annotated[EntryRequest, examples.DO_NOT_CONTACT],
    access: GivenAccess,
    services: GivenServices,
) -> Response[Entry]:
    """Write to them no more, and cancel what waits for them; a repeat changes nothing."""

    async def work(transaction: Transaction) -> Answer:
        entry, _ = await add_entry(
            transaction, data.kind, data.value, data.reason, kind=access.kind
        )
        return Answer(entry, 201)

    return await write(request, services, access.tenant, work)


@delete(
    "/do-not-contact/{kind:str}",
    opt={"scope": "admin"},
    responses=documented(403, 404),
    operation_id="removeDoNotContact",
)
async def remove(
    access: GivenAccess,
    services: GivenServices,
    kind: FromPath[Literal["email", "phone", "domain", "handle"]],
    value: Annotated[str, QueryParameter(max_length=320, description="Whom.")],
) -> None:
    """For admins: let them be written to again."""
    async with services.db.tenant_transaction(access.tenant) as transaction:
        await remove_entry(transaction, kind, value, kind=access.kind)


@get(
    "/send-gateways",
    opt={"scope": "admin"},
    responses=documented(403),
    operation_id="listSendGateways",
)
async def gateways(access: GivenAccess, services: GivenServices) -> GatewayList:
    """For admins: which channels leave by signed webhook, and where to."""
    return await list_gateways(services.db, access.tenant)


@put(
    "/send-gateways/{channel:str}",
    opt={"scope": "admin"},
    responses=documented(403, 413),
    operation_id="setSendGateway",
)
async def gateway(
    data: Annotated[GatewayRequest, examples.GATEWAY],
    access: GivenAccess,
    services: GivenServices,
    channel: FromPath[GatewayChannel],
) -> GatewaySecret:
    """For admins: let a channel leave by webhook, with a new signing secret, shown this once."""
    return await set_gateway(
        services.db,
        services.keys,
        access.tenant,
        channel,
        data.url,
        allow_private=services.settings.gateway_private,
        kind=access.kind,
    )


@post(
    "/send-gateways/{channel:str}/test",
    status_code=200,
    opt={"scope": "admin"},
    responses=documented(403, 404, 409, 413, 422),
    operation_id="testSendGateway",
    operation_class=Idempotent,
)
async def try_gateway(
    request: Request[Any, Any, Any],
    access: GivenAccess,
    services: GivenServices,
    channel: FromPath[GatewayChannel],
) -> Response[GatewayTest]:
    """For admins: post a signed `gateway.test` there, which sends nothing on."""
    tested = await test_gateway(
        services.db,
        services.keys,
        access.tenant,
        channel,
        allow_private=services.settings.gateway_private,
    )
    return await keep(request, services, Answer(tested, 200))


@delete(
    "/send-gateways/{channel:str}",
    opt={"scope": "admin"},
    responses=documented(403, 404),
    operation_id="deleteSendGateway",
)
async def remove_gateway(
    access: GivenAccess, services: GivenServices, channel: FromPath[GatewayChannel]
) -> None:
    """For admins: end a way out; what is approved for it waits."""
    await delete_gateway(services.db, access.tenant, channel, kind=access.kind)


def sending_router() -> Router:
    """The policy of sending, and do-not-contact."""
    handlers = [
        policy,
        set_policy,
        entries,
        add,
        remove,
        gateways,
        gateway,
        try_gateway,
        remove_gateway,
    ]
    return Router("/v1", route_handlers=handlers, tags=["Sending"])
