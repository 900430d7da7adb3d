"""Who sees a channel, how far they have read, and who may listen to it."""

from datetime import datetime
from uuid import UUID

import msgspec

from tidings.base.errors import RowMissing
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.messages.channels import NO_CHANNEL
from tidings.realtime.topics import TopicCheck, TopicChecks

sql = load_queries("tidings.messages")


class ChannelMember(msgspec.Struct, frozen=True):
    """Somebody who sees a channel."""

    user_id: UUID
    name: str
    email: str
    read_position: int
    read_at: datetime | None
    created_at: datetime


class ReadState(msgspec.Struct, frozen=True):
    """How far a channel is read; `unread` messages are after `read_position`."""

    read_position: int
    unread: int


async def list_members(db: Database, tenant: Tenant, channel_id: UUID) -> list[ChannelMember]:
    """A channel's members by name, to themselves and to admins. Raises `RowMissing`."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        channel = batch.add(sql.get_channel, {"id": channel_id})
        found = batch.add(sql.list_channel_members, {"channel_id": channel_id}, row=ChannelMember)
    if channel.optional() is None:
        raise RowMissing(NO_CHANNEL)
    return found.rows


async def add_member(db: Database, tenant: Tenant, channel_id: UUID, user_id: UUID) -> None:
    """Let a member of the organization see a channel; who does already stays.

    Raises `RowMissing` for an unknown channel or person, `RoleForbidden`.
    """
    async with db.tenant_transaction(tenant) as transaction:
        if await transaction.optional(sql.get_channel, {"id": channel_id}) is None:
            raise RowMissing(NO_CHANNEL)
        params = {"channel_id": channel_id, "user_id": user_id}
        if await transaction.execute(sql.insert_channel_member, params) == 0:
            there = await transaction.fetch(
                sql.list_channel_members, {"channel_id": channel_id}, row=ChannelMember
            )
            if all(member.user_id != user_id for member in there):
                raise RowMissing("There is no such member of the organization.")


async def remove_member(db: Database, tenant: Tenant, channel_id: UUID, user_id: UUID) -> None:
    """Take somebody out: oneself, or by an admin anybody. Their open streams end.

    Raises `RowMissing` when there is nobody the tenant may take out.
    """
    async with db.tenant_transaction(tenant) as transaction:
        params = {"channel_id": channel_id, "user_id": user_id}
        if await transaction.execute(sql.delete_channel_member, params) == 0:
            raise RowMissing("There is no such member of this channel that you may take out.")


async def mark_read(db: Database, tenant: Tenant, channel_id: UUID, position: int) -> ReadState:
    """Note that the acting user read up to a position. Raises `RowMissing`."""
    async with db.tenant_batch(tenant) as batch:
        params = {"channel_id": channel_id, "position": position}
        noted = batch.add(sql.mark_read, params, row=ReadState)
    state = noted.optional()
    if state is None:
        raise RowMissing(NO_CHANNEL)
    return state


def channel_topics(db: Database) -> TopicChecks:
    """The topic of a channel, which its members may read."""
    return {"channel": _sees(db)}


def _sees(db: Database) -> TopicCheck:
    async def sees(tenant: Tenant, rest: str) -> bool:
        try:
            channel_id = UUID(rest)
        except ValueError:
            return False
        if rest != str(channel_id):  # one spelling alone: events are told under that one
            return False
        async with db.tenant_batch(tenant, repeatable=True) as batch:
            found = batch.add(sql.sees_channel, {"channel_id": channel_id})
        return bool(found.value())

    return sees
