"""Messages as they are shown: of a channel, of a thread, and those that answer a search."""

from datetime import datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

import msgspec

from tidings.base.cursor import Page, decode_cursor, encode_cursor, listing
from tidings.base.errors import RowMissing
from tidings.base.tenant import Tenant
from tidings.base.text import split_hits
from tidings.db.queries import load_queries
from tidings.db.transaction import Batch, Database, Pending, Row
from tidings.messages.automatic import Automatic
from tidings.messages.ingest import LANGUAGE
from tidings.messages.item import Attachment, Direction

sql = load_queries("tidings.messages")

Order = Literal["newest", "oldest"]
Lively = TypeVar("Lively", "ThreadRow", "Conversation")


class Message(msgspec.Struct, frozen=True):
    """One message; `sender_name` is "" where its source has none."""

    id: UUID
    channel_id: UUID
    position: int
    external_id: str
    thread_id: UUID | None
    reply_to: str | None
    direction: Direction
    sender_id: str
    sender_name: str
    sender_email: str | None
    subject: str
    body: str
    attachments: list[Attachment]
    automatic: Automatic | None
    sent_at: datetime
    created_at: datetime


class MessagePage(msgspec.Struct, frozen=True):
    """One page of messages."""

    items: list[Message]
    next_cursor: str | None


class Thread(msgspec.Struct, frozen=True):
    """Messages that belong together."""

    id: UUID
    channel_id: UUID
    external_id: str
    subject: str
    messages_count: int
    first_message_at: datetime
    last_message_at: datetime
    last_position: int


class ThreadRow(Thread, frozen=True):
    """A thread in a list, with who spoke last and how that begins."""

    last_sender: str | None
    opening: str | None


class ThreadPage(msgspec.Struct, frozen=True):
    """One page of threads."""

    items: list[ThreadRow]
    next_cursor: str | None


class Conversation(msgspec.Struct, frozen=True):
    """A thread in a list, or a message by itself, whose id it then has."""

    id: UUID
    is_alone: bool
    subject: str
    messages_count: int
    last_message_at: datetime
    last_position: int
    last_sender: str | None
    opening: str | None


class ConversationPage(msgspec.Struct, frozen=True):
    """One page of conversations."""

    items: list[Conversation]
    next_cursor: str | None


class Found(msgspec.Struct, frozen=True):
    """A message that answers a search; `parts` alternate between plain text and hits."""

    message_id: UUID
    channel_id: UUID
    thread_id: UUID | None
    position: int
    sender_name: str
    subject: str
    direction: Direction
    sent_at: datetime
    parts: list[tuple[str, bool]]


class FoundPage(msgspec.Struct, frozen=True):
    """One page of what was found."""

    items: list[Found]
    next_cursor: str | None


async def list_messages(
    db: Database,
    tenant: Tenant,
    channel_id: UUID,
    page: Page,
    *,
    thread_id: UUID | None = None,
    order: Order = "newest",
) -> MessagePage:
    """Messages of a channel, or of one of its threads, by when they were sent.

    Raises `RowMissing` for who is no member of the channel.
    """
    kind = listing("messages", channel=channel_id, thread=thread_id, order=order)
    at, after_id = decode_cursor(kind, page.cursor, tuple[datetime, UUID]) or (None, None)
    params = {
        "channel_id": channel_id,
        "thread_id": thread_id,
        "at": at,
        "id": after_id,
        "limit": page.limit + 1,
    }
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        sees = batch.add(sql.sees_channel, {"channel_id": channel_id})
        found = _add(batch, params, order)
    _require(sees)
    rows = msgspec.convert(found.rows, list[Message])
    return MessagePage(*page.cut(kind, rows, lambda message: [message.sent_at, message.id]))


def cursor_before(message: Message) -> str:
    """The cursor of the messages of its channel that came before a message, the newest first."""
    kind = listing("messages", channel=message.channel_id, order="newest")
    return encode_cursor(kind, [message.sent_at, message.id])


def _add(batch: Batch, params: dict[str, Any], order: Order) -> Pending[Row]:
    of_thread = params["thread_id"] is not None
    if order == "newest":
        return batch.add(sql.list_thread_newest if of_thread else sql.list_messages_newest, params)
    return batch.add(sql.list_thread_oldest if of_thread else sql.list_messages_oldest, params)


def _require(sees: Pending[Row]) -> None:
    if not sees.value():
        raise RowMissing("There is no such channel here, or you are not a member of it.")


async def get_message(db: Database, tenant: Tenant, message_id: UUID) -> Message:
    """One message. Raises `RowMissing`."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.get_message, {"id": message_id})
    return msgspec.convert(found.one(), Message)


async def list_threads(db: Database, tenant: Tenant, channel_id: UUID, page: Page) -> ThreadPage:
    """Threads of a channel, the liveliest first. Raises `RowMissing` for who is no member."""
    rows, cursor = await _list_lively(db, tenant, channel_id, page, "threads", ThreadRow)
    return ThreadPage(rows, cursor)


async def list_conversations(
    db: Database, tenant: Tenant, channel_id: UUID, page: Page
) -> ConversationPage:
    """Threads, and the messages that are in none, the liveliest first. Raises `RowMissing`."""
    rows, cursor = await _list_lively(db, tenant, channel_id, page, "conversations", Conversation)
    return ConversationPage(rows, cursor)


async def _list_lively(
    db: Database,
    tenant: Tenant,
    channel_id: UUID,
    page: Page,
    name: Literal["threads", "conversations"],
    row: type[Lively],
) -> tuple[list[Lively], str | None]:
    kind = listing(name, channel=channel_id)
    at, before_id = decode_cursor(kind, page.cursor, tuple[datetime, UUID]) or (None, None)
    params = {"channel_id": channel_id, "at": at, "id": before_id, "limit": page.limit + 1}
    query = sql.list_threads if name == "threads" else sql.list_conversations
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        sees = batch.add(sql.sees_channel, {"channel_id": channel_id})
        found = batch.add(query, params, row=row)
    _require(sees)
    return page.cut(kind, found.rows, lambda one: [one.last_message_at, one.id])


async def get_thread(db: Database, tenant: Tenant, thread_id: UUID) -> Thread:
    """One thread. Raises `RowMissing`."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.get_thread, {"id": thread_id}, row=Thread)
    return found.one()


async def search_messages(
    db: Database, tenant: Tenant, query: str, page: Page, *, channel_id: UUID | None = None
) -> FoundPage:
    """Messages that answer a search, in all channels that the tenant sees or in one; newest first.

    The words are read as a web search: "phrases", OR, and -words that must not be there.
    """
    kind = listing("found", query=query, channel=channel_id)
    at, before_id = decode_cursor(kind, page.cursor, tuple[datetime, UUID]) or (None, None)
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(
            sql.search_messages,
            {
                "query": query,
                "language": LANGUAGE,
                "channel_id": channel_id,
                "at": at,
                "id": before_id,
                "limit": page.limit + 1,
            },
        )
    rows = [_found(row) for row in found.rows]
    return FoundPage(*page.cut(kind, rows, lambda one: [one.sent_at, one.message_id]))


def _found(row: Row) -> Found:
    parts = split_hits(row.pop("snippet"))
    return Found(**row, parts=parts)
