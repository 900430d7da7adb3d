"""Channels: made, listed, changed, archived and removed."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from tidings.base.cursor import Page, decode_cursor, listing
from tidings.base.errors import InputInvalid, RoleForbidden, RowMissing, VersionStale
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.base.text import check_text
from tidings.base.zones import zone_of
from tidings.db.queries import load_queries
from tidings.db.transaction import Batch, Database, Pending, Row, Transaction
from tidings.messages.hours import MOST_HOLIDAYS, Hours, check_hours

sql = load_queries("tidings.messages")

ChannelKind = Literal["email", "chat", "sms", "whatsapp", "telegram", "slack", "web", "other"]

LONGEST_NAME = 200
DELETED_AT_ONCE = 20_000
"""Messages that one statement removes, with all that hangs on them."""
NO_CHANNEL = "There is no such channel here."


class NewChannel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel to make; who makes it is its first member."""

    name: str
    kind: ChannelKind
    timezone: str = "UTC"
    business_hours: list[Hours] = []
    holidays: list[date] = []


class ChannelChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of a channel; what is left out stays. Archived, it takes no messages."""

    name: str | None = None
    kind: ChannelKind | None = None
    timezone: str | None = None
    business_hours: list[Hours] | None = None
    holidays: list[date] | None = None
    archived: bool | None = None


class Channel(msgspec.Struct, frozen=True):
    """A channel as the tenant sees it; `unread` counts nothing for who is no member."""

    id: UUID
    name: str
    kind: ChannelKind
    timezone: str
    business_hours: list[Hours]
    holidays: list[date]
    last_position: int
    last_message_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    is_member: bool
    read_position: int | None
    unread: int


class ChannelPage(msgspec.Struct, frozen=True):
    """One page of channels."""

    items: list[Channel]
    next_cursor: str | None


async def create_channel(db: Database, tenant: Tenant, new: NewChannel) -> Channel:
    """Make a channel. Raises `InputInvalid`, `RoleForbidden`."""
    async with db.tenant_transaction(tenant) as transaction:
        return await create_channel_in(transaction, new)


async def create_channel_in(transaction: Transaction, new: NewChannel) -> Channel:
    """As `create_channel`, in the caller's transaction: one round trip."""
    _check(new)
    channel_id = uuid7()
    transaction.queue(
        sql.insert_channel,
        {
            "id": channel_id,
            "name": new.name.strip(),
            "kind": new.kind,
            "timezone": new.timezone,
            "business_hours": msgspec.json.encode(new.business_hours).decode(),
            "holidays": new.holidays,
        },
    )
    return msgspec.convert(await transaction.one(sql.get_channel, {"id": channel_id}), Channel)


async def list_channels(
    db: Database,
    tenant: Tenant,
    page: Page,
    *,
    archived: bool = False,
    mine: bool = False,
    name: str | None = None,
) -> ChannelPage:
    """Channels, the liveliest first; `mine` are those that the tenant is a member of."""
    kind = listing("channels", archived=archived, mine=mine, name=name)
    after = decode_cursor(kind, page.cursor, tuple[datetime | None, UUID])
    before_at, before_id = after or (None, None)
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(
            sql.list_channels,
            {
                "archived": archived,
                "mine": mine,
                "name": name,
                "before_at": before_at,
                "before_id": before_id,
                "limit": page.limit + 1,
            },
        )
    rows = msgspec.convert(found.rows, list[Channel])
    return ChannelPage(*page.cut(kind, rows, lambda one: [one.last_message_at, one.id]))


def add_unread(batch: Batch) -> Pending[Row]:
    """How many messages of one's channels are unread, in somebody's batch."""
    return batch.add(sql.count_unread)


async def get_channel(db: Database, tenant: Tenant, channel_id: UUID) -> Channel:
    """One channel, to its members and to admins. Raises `RowMissing`."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.get_channel, {"id": channel_id})
    row = found.optional()
    if row is None:
        raise RowMissing(NO_CHANNEL)
    return msgspec.convert(row, Channel)


async def update_channel(
    db: Database,
    tenant: Tenant,
    channel_id: UUID,
    change: ChannelChange,
    *,
    if_version: int | None = None,
) -> Channel:
    """Change a channel, with `if_version` only at that version.

    Raises `RowMissing`, `VersionStale`, `InputInvalid`, `RoleForbidden`.
    """
    _check(change)
    hours = change.business_hours
    async with db.tenant_transaction(tenant) as transaction:
        touched = await transaction.execute(
            sql.update_channel,
            {
                "id": channel_id,
                "version": if_version,
                "name": change.name and change.name.strip(),
                "kind": change.kind,
                "timezone": change.timezone,
                "business_hours": None if hours is None else msgspec.json.encode(hours).decode(),
                "holidays": change.holidays,
                "archived": change.archived,
            },
        )
        row = await transaction.optional(sql.get_channel, {"id": channel_id})
    if row is None:
        raise RowMissing(NO_CHANNEL)
    if touched == 0:
        raise VersionStale
    return msgspec.convert(row, Channel)


async def delete_channel(db: Database, tenant: Tenant, channel_id: UUID) -> None:
    """Remove a channel with all its messages, by admins. Raises `RowMissing`, `RoleForbidden`.

    Where there are many, no one statement could: the channel is archived and emptied first. If that
    is interrupted, a repeat goes on.
    """
    async with db.tenant_transaction(tenant) as transaction:
        row = await transaction.optional(sql.get_channel, {"id": channel_id})
        if row is None:
            raise RowMissing(NO_CHANNEL)
        if not (tenant.is_admin or tenant.role == "service"):
            raise RoleForbidden("Only admins delete channels; archive it instead.")
        last: int = row["last_position"]
        if last <= DELETED_AT_ONCE:
            await transaction.execute(sql.delete_channel, {"id": channel_id})
            return
        transaction.queue(sql.archive_channel, {"id": channel_id})
    for start in range(0, last, DELETED_AT_ONCE):
        params = {"channel_id": channel_id, "after": start, "until": start + DELETED_AT_ONCE}
        async with db.tenant_batch(tenant.as_service(), repeatable=True) as batch:
            batch.queue(sql.delete_messages, params)
    async with db.tenant_batch(tenant) as batch:
        batch.queue(sql.delete_channel, {"id": channel_id})


def _check(given: NewChannel | ChannelChange) -> None:
    if given.name is not None:
        check_text("name", given.name.strip(), longest=LONGEST_NAME)
        if not given.name.strip():
            raise InputInvalid.of("name", "is empty")
    if given.timezone is not None:
        zone_of(given.timezone)
    check_hours(given.business_hours or [])
    if len(given.holidays or []) > MOST_HOLIDAYS:
        raise InputInvalid.of("holidays", f"has more than {MOST_HOLIDAYS} days")
