"""Channels, who sees them, and the addresses that post into them."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post
from litestar.params import FromPath, QueryParameter

from tidings.base.cursor import Page
from tidings.db.transaction import Transaction
from tidings.messages.channels import (
    Channel,
    ChannelChange,
    ChannelPage,
    NewChannel,
    create_channel_in,
    delete_channel,
    get_channel,
    list_channels,
    update_channel,
)
from tidings.messages.hooks import (
    MessageHook,
    create_message_hook,
    list_message_hooks,
    revoke_message_hook,
)
from tidings.messages.members import (
    ChannelMember,
    ReadState,
    add_member,
    list_members,
    mark_read,
    remove_member,
)
from tidings.web import examples
from tidings.web.answers import Answer, keep, write
from tidings.web.documented import Idempotent, documented
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.paging import Cursor, Limit
from tidings.web.preconditions import IfMatch, etag, expected_version


class MemberRequest(msgspec.Struct, frozen=True):
    """A member of the organization."""

    user_id: UUID


class ReadRequest(msgspec.Struct, frozen=True):
    """The position of the last message that was read."""

    position: Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class MessageHookRequest(msgspec.Struct, frozen=True):
    """The secret that deliveries are signed with (`whsec_…`), as Standard Webhooks has it.

    Without one, a new one is made.
    """

    signing_secret: str | None = None


class MessageHookAnswer(msgspec.Struct, frozen=True):
    """A new address; `path` holds its token, `signing_secret` signs what is posted there.

    Both are shown this once, and null when the request is repeated.
    """

    id: UUID
    path: str | None
    signing_secret: str | None


@post(
    "/channels",
    status_code=201,
    opt={"scope": "messages"},
    responses=documented(403, 409, 413, 422),
    operation_id="createChannel",
    operation_class=Idempotent,
)
async def create(
    request: Request[Any, Any, Any],
    data: Annotated[NewChannel, examples.CHANNEL],
    access: GivenAccess,
    services: GivenServices,
) -> Response[Channel]:
    """Make a channel; you are its first member."""

    async def work(transaction: Transaction) -> Answer:
        made = await create_channel_in(transaction, data)
        return Answer(made, 201, {"etag": etag(made.version)})

    return await write(request, services, access.tenant, work)


@get(
    "/channels",
    opt={"scope": "messages"},
    responses=documented(403),
    operation_id="listChannels",
)
async def channels(
    access: GivenAccess,
    services: GivenServices,
    limit: Limit = 50,
    cursor: Cursor = None,
    archived: Annotated[bool, QueryParameter(description="Those that are archived.")] = False,
    mine: Annotated[
        bool, QueryParameter(description="Only those that you are a member of.")
    ] = False,
) -> ChannelPage:
    """Channels, the liveliest first; admins see that those of others are there."""
    return await list_channels(
        services.db, access.tenant, Page(limit, cursor), archived=archived, mine=mine
    )


@get(
    "/channels/{channel_id:uuid}",
    opt={"scope": "messages"},
    responses=documented(403, 404),
    operation_id="getChannel",
)
async def channel(
    access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]
) -> Response[Channel]:
    """One channel; its ETag is its version."""
    found = await get_channel(services.db, access.tenant, channel_id)
    return Response(found, headers={"etag": etag(found.version)})


@patch(
    "/channels/{channel_id:uuid}",
    opt={"scope": "messages"},
    responses=documented(403, 404, 412, 413),
    operation_id="updateChannel",
)
async def update(
    data: Annotated[ChannelChange, examples.CHANNEL_CHANGE],
    access: GivenAccess,
    services: GivenServices,
    channel_id: FromPath[UUID],
    if_match: IfMatch = None,
) -> Response[Channel]:
    """Change what is given, archive it or bring it back; with If-Match only at that version."""
    version = expected_version(if_match)
    found = await update_channel(services.db, access.tenant, channel_id, data, if_version=version)
    return Response(found, headers={"etag": etag(found.version)})


@delete(
    "/channels/{channel_id:uuid}",
    opt={"scope": "messages"},
    responses=documented(403, 404),
    operation_id="deleteChannel",
)
async def remove(access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]) -> None:
    """Remove a channel with all its messages; by admins."""
    await delete_channel(services.db, access.tenant, channel_id)
    services.relay.nudge()


@get(
    "/channels/{channel_id:uuid}/members",
    opt={"scope": "messages"},
    responses=documented(403, 404),
    operation_id="listChannelMembers",
)
async def members(
    access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]
) -> list[ChannelMember]:
    """Who sees a channel."""
    return await list_members(services.db, access.tenant, channel_id)


@post(
    "/channels/{channel_id:uuid}/members",
    status_code=200,
    opt={"scope": "messages"},
    responses=documented(403, 404, 409, 413, 422),
    operation_id="addChannelMember",
    operation_class=Idempotent,
)
async def bring_in(
    request: Request[Any, Any, Any],
    data: Annotated[MemberRequest, examples.CHANNEL_MEMBER],
    access: GivenAccess,
    services: GivenServices,
    channel_id: FromPath[UUID],
) -> Response[list[ChannelMember]]:
    """Let somebody of the organization see a channel; who does already stays. Answers with all."""
    await add_member(services.db, access.tenant, channel_id, data.user_id)
    there = await list_members(services.db, access.tenant, channel_id)
    return await keep(request, services, Answer(there, 200))


@delete(
    "/channels/{channel_id:uuid}/members/{user_id:uuid}",
    opt={"scope": "messages"},
    responses=documented(403, 404),
    operation_id="removeChannelMember",
)
async def take_out(
    access: GivenAccess,
    services: GivenServices,
    channel_id: FromPath[UUID],
    user_id: FromPath[UUID],
) -> None:
    """Leave a channel, or as an admin take anybody out; what they listen to ends."""
    await remove_member(services.db, access.tenant, channel_id, user_id)
    services.relay.nudge()


@post(
    "/channels/{channel_id:uuid}/read",
    status_code=200,
    opt={"scope": "messages", "own": True},
    responses=documented(403, 404, 409, 413, 422),
    operation_id="markChannelRead",
    operation_class=Idempotent,
)
async def read(
    request: Request[Any, Any, Any],
    data: Annotated[ReadRequest, examples.READ_TO],
    access: GivenAccess,
    services: GivenServices,
    channel_id: FromPath[UUID],
) -> Response[ReadState]:
    """Note how far you have read; it never goes back."""
    state = await mark_read(services.db, access.tenant, channel_id, data.position)
    return await keep(request, services, Answer(state, 200))


@post(
    "/channels/{channel_id:uuid}/hooks",
    status_code=201,
    opt={"scope": "admin"},
    responses=documented(403, 404, 409, 413, 422),
    operation_id="createMessageHook",
    operation_class=Idempotent,
)
async def create_hook(
    request: Request[Any, Any, Any],
    data: Annotated[MessageHookRequest, examples.HOOK],
    access: GivenAccess,
    services: GivenServices,
    channel_id: FromPath[UUID],
) -> Response[MessageHookAnswer]:
    """Make an address that posts messages into the channel."""
    hook = await create_message_hook(
        services.db,
        services.keys,
        access.tenant,
        channel_id,
        data.signing_secret,
        kind=access.kind,
    )
    path = f"/v1/hooks/messages/{hook.token}"
    answer = MessageHookAnswer(hook.id, path, hook.signing_secret)
    hidden = Answer(MessageHookAnswer(hook.id, None, None), 201)
    return await keep(request, services, Answer(answer, 201), kept=hidden)


@get(
    "/channels/{channel_id:uuid}/hooks",
    opt={"scope": "admin"},
    responses=documented(403, 404),
    operation_id="listMessageHooks",
)
async def hooks(
    access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]
) -> list[MessageHook]:
    """The channel's addresses."""
    return await list_message_hooks(services.db, access.tenant, channel_id)


@delete(
    "/channels/{channel_id:uuid}/hooks/{hook_id:uuid}",
    opt={"scope": "admin"},
    responses=documented(403, 404),
    operation_id="revokeMessageHook",
)
async def revoke(
    access: GivenAccess,
    services: GivenServices,
    channel_id: FromPath[UUID],
    hook_id: FromPath[UUID],
) -> None:
    """End an address; what comes to it afterwards is 404."""
    await revoke_message_hook(services.db, access.tenant, channel_id, hook_id, kind=access.kind)


def channels_router() -> Router:
    """Everything below `/v1/channels` but the messages."""
    return Router(
        "/v1",
        route_handlers=[
            create,
            channels,
            channel,
            update,
            remove,
            members,
            bring_in,
            take_out,
            read,
            create_hook,
            hooks,
            revoke,
        ],
        tags=["Channels"],
    )
