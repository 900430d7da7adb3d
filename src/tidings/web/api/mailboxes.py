"""The mailbox that a channel's mail is fetched from."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, delete, get, post, put
from litestar.params import FromPath

from tidings.connectors.mailboxes import (
    Mailbox,
    MailboxSettings,
    delete_mailbox,
    get_mailbox,
    set_mailbox,
    start_check,
)
from tidings.db.transaction import Transaction
from tidings.web import examples
from tidings.web.answers import Answer, write
from tidings.web.documented import Idempotent, documented
from tidings.web.given import GivenAccess, GivenServices


class CheckAnswer(msgspec.Struct, frozen=True):
    """The run that fetches; `created` is false when it was under way."""

    channel_id: UUID
    run_id: UUID
    created: bool


@get(
    "/channels/{channel_id:uuid}/mailbox",
    opt={"scope": "admin"},
    responses=documented(403, 404),
    operation_id="getMailbox",
)
async def mailbox(
    access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]
) -> Mailbox:
    """Where the channel's mail is fetched, and how the last check went; never the password."""
    return await get_mailbox(services.db, access.tenant, channel_id)


@put(
    "/channels/{channel_id:uuid}/mailbox",
    opt={"scope": "admin"},
    responses=documented(403, 404, 409, 413),
    operation_id="setMailbox",
)
async def set_up(
    data: Annotated[MailboxSettings, examples.MAILBOX],
    access: GivenAccess,
    services: GivenServices,
    channel_id: FromPath[UUID],
) -> Mailbox:
    """Set where mail is fetched over IMAP; the password is sealed, and stays when left out."""
    return await set_mailbox(
        services.db,
        services.keys,
        access.tenant,
        channel_id,
        data,
        allow_private=services.settings.gateway_private,
        kind=access.kind,
    )


@delete(
    "/channels/{channel_id:uuid}/mailbox",
    opt={"scope": "admin"},
    responses=documented(403, 404),
    operation_id="deleteMailbox",
)
async def end(access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]) -> None:
    """Fetch no more; what came in stays, the password is forgotten."""
    await delete_mailbox(services.db, access.tenant, channel_id, kind=access.kind)


@post(
    "/channels/{channel_id:uuid}/mailbox/check",
    status_code=202,
    opt={"scope": "admin"},
    responses=documented(403, 404, 409, 413, 422),
    operation_id="checkMailbox",
    operation_class=Idempotent,
)
async def check(
    request: Request[Any, Any, Any],
    access: GivenAccess,
    services: GivenServices,
    channel_id: FromPath[UUID],
) -> Response[CheckAnswer]:
    """Fetch now, also what was paused; a run under way is returned as it is."""

    async def work(transaction: Transaction) -> Answer:
        started = await start_check(transaction, channel_id)
        return Answer(CheckAnswer(channel_id, started.run_id, started.created), 202)

    return await write(request, services, access.tenant, work)


def mailboxes_router() -> Router:
    """Everything about a channel's mailbox."""
    return Router(
        "/v1",
        route_handlers=[mailbox, set_up, end, check],
        tags=["Channels"],
    )
