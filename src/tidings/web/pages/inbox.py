"""The inbox: channels with what is unread, their messages and threads, search."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery

from tidings.base.cursor import Page
from tidings.base.errors import InputInvalid, RowMissing
from tidings.base.text import check_text
from tidings.connectors.mailboxes import find_mailbox
from tidings.messages.channels import Channel, get_channel, list_channels
from tidings.messages.members import mark_read
from tidings.messages.quotes import opening, split_quote
from tidings.messages.read import (
    Conversation,
    Found,
    Message,
    ThreadRow,
    cursor_before,
    get_message,
    get_thread,
    list_conversations,
    list_messages,
    list_threads,
    search_messages,
)
from tidings.realtime.topics import MOST_TOPICS
from tidings.replies.answer import find_answers
from tidings.tenancy.access import Access
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.forms import whole_number
from tidings.web.pages.inbox_settings import settings_handlers
from tidings.web.pages.incoming import incoming_handlers
from tidings.web.pages.shell import go, page
from tidings.web.services import Services

SHOWN = 50
MOST_CHANNELS = 200
_READ = {"scope": "messages"}


@get("/inbox", opt=_READ)
async def inbox(
    request: AnyRequest,
    access: GivenAccess,
    services: GivenServices,
    q: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """All channels; with `q` what was said in them."""
    context = await frame(services, access, None, q)
    if context["error"] is None and q.strip():
        await _search(services, access, context, q, cursor, None)
    return page(request, "inbox/show.html", context, status=400 if context["error"] else 200)


@get("/inbox/{channel_id:uuid}", opt=_READ)
async def channel(
    request: AnyRequest,
    access: GivenAccess,
    services: GivenServices,
    channel_id: FromPath[UUID],
    view: FromQuery[str] = "",
    thread: FromQuery[UUID | None] = None,
    message: FromQuery[UUID | None] = None,
    alone: FromQuery[UUID | None] = None,
    q: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Response[Any]:
    """One channel: its messages (from `message` on), its conversations, one, or what is found."""
    found = await get_channel(services.db, access.tenant, channel_id)
    context = await frame(services, access, found, q)
    if found.kind == "email" and found.is_member:
        context["mailbox"] = await find_mailbox(services.db, access.tenant, channel_id)
    if context["error"] is not None or not found.is_member:
        pass
    elif q.strip():
        await _search(services, access, context, q, cursor, channel_id)
    elif alone is not None:
        joined = await _alone(services, access, context, alone)
        if joined is not None:
            return go(f"/inbox/{channel_id}?thread={joined}")
        await _answers(services, access, context)
    elif thread is None and (
        view == "threads" or (found.kind == "email" and view != "messages" and message is None)
    ):
        await _threads(services, access, context, cursor)
    else:
        await conversation(services, access, context, thread, message, cursor)
    return page(request, "inbox/show.html", context, status=400 if context["error"] else 200)


@post("/inbox/{channel_id:uuid}/read", opt={**_READ, "own": True}, status_code=303)
async def read(
    request: AnyRequest, access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]
) -> Response[Any]:
    """Mark everything up to the shown position as read."""
    position = whole_number((await request.form()).get("position"), "position", digits=15)
    await mark_read(services.db, access.tenant, channel_id, position)
    return go(f"/inbox/{channel_id}")


async def conversation(
    services: Services,
    access: Access,
    context: dict[str, Any],
    thread: UUID | None,
    message: UUID | None = None,
    cursor: str | None = None,
) -> None:
    """The messages of a channel or thread, and what its newest may be answered."""
    if thread is not None:
        await _thread(services, access, context, thread, cursor)
    else:
        await _messages(services, access, context, message, cursor)
    await _answers(services, access, context)


async def _answers(services: Services, access: Access, context: dict[str, Any]) -> None:
    messages = context["messages"]
    newest = messages[-1 if context["mode"] == "thread" else 0] if messages else None
    if newest is None or newest["is_ours"] or not context["is_live"]:
        return
    if access.tenant.may_write and context["channel"].archived_at is None:
        context["answers"] = await find_answers(services.db, access.tenant, newest["id"])


async def frame(
    services: Services, access: Access, current: Channel | None, q: str
) -> dict[str, Any]:
    """What every page of the inbox shows: the channels, and where we are."""
    error = None
    try:
        check_text("q", q, longest=1000)
    except InputInvalid as refused:
        error = refused.message
    channels = await list_channels(services.db, access.tenant, Page(MOST_CHANNELS, None), mine=True)
    topics = [f"channel:{one.id}" for one in channels.items[:MOST_TOPICS]]
    if current is not None and current.is_member and f"channel:{current.id}" not in topics:
        topics[MOST_TOPICS - 1 :] = [f"channel:{current.id}"]
    return {
        "channels": [
            {"id": one.id, "name": one.name, "kind": one.kind, "unread": one.unread}
            for one in channels.items
        ],
        "channel": current,
        "mailbox": None,
        "topics": topics,
        "mode": "index" if current is None else "messages",
        "q": q,
        "error": error,
        "messages": [],
        "threads": [],
        "thread": None,
        "found": [],
        "answers": None,
        "is_live": False,
        "next_url": None,
        "first_url": None,
    }


async def _messages(
    services: Services,
    access: Access,
    context: dict[str, Any],
    message_id: UUID | None,
    cursor: str | None,
) -> None:
    shown: Channel = context["channel"]
    first: list[Message] = []
    if message_id is not None and cursor is None:
        one = await get_message(services.db, access.tenant, message_id)
        if one.channel_id != shown.id:
            raise RowMissing
        first = [one]
        cursor = cursor_before(one)
    found = await list_messages(services.db, access.tenant, shown.id, Page(SHOWN, cursor))
    context["messages"] = [_message(one, shown) for one in first + found.items]
    context["is_live"] = cursor is None
    _pages(context, f"/inbox/{shown.id}", {"view": "messages"}, found.next_cursor, cursor)


async def _threads(
    services: Services, access: Access, context: dict[str, Any], cursor: str | None
) -> None:
    shown: Channel = context["channel"]
    # A mail that nobody answered is a conversation too; in a chat it is one line among many.
    lists = list_conversations if shown.kind == "email" else list_threads
    found = await lists(services.db, access.tenant, shown.id, Page(SHOWN, cursor))
    read_position = shown.read_position or 0
    context["mode"] = "threads"
    context["threads"] = [
        {
            "url": _url(shown, one),
            "subject": one.subject,
            "count": one.messages_count,
            "at": one.last_message_at,
            "sender": one.last_sender or "",
            "opening": opening(one.opening or ""),
            "is_unread": one.last_position > read_position,
        }
        for one in found.items
    ]
    context["is_live"] = cursor is None
    _pages(context, f"/inbox/{shown.id}", {"view": "threads"}, found.next_cursor, cursor)


def _url(shown: Channel, one: ThreadRow | Conversation) -> str:
    is_alone = isinstance(one, Conversation) and one.is_alone
    return f"/inbox/{shown.id}?{'alone' if is_alone else 'thread'}={one.id}"


async def _thread(
    services: Services,
    access: Access,
    context: dict[str, Any],
    thread_id: UUID,
    cursor: str | None,
) -> None:
    shown: Channel = context["channel"]
    thread = await get_thread(services.db, access.tenant, thread_id)
    if thread.channel_id != shown.id:
        raise RowMissing
    found = await list_messages(
        services.db,
        access.tenant,
        shown.id,
        Page(SHOWN, cursor),
        thread_id=thread_id,
        order="oldest",
    )
    context["mode"] = "thread"
    context["thread"] = thread
    context["messages"] = [_message(one, shown) for one in found.items]
    context["is_live"] = found.next_cursor is None
    _pages(context, f"/inbox/{shown.id}", {"thread": thread_id}, found.next_cursor, cursor)


async def _alone(
    services: Services, access: Access, context: dict[str, Any], message_id: UUID
) -> UUID | None:
    """A message by itself; the thread when it has been answered meanwhile."""
    shown: Channel = context["channel"]
    one = await get_message(services.db, access.tenant, message_id)
    if one.channel_id != shown.id:
        raise RowMissing
    context["mode"] = "thread"
    context["thread"] = {
        "id": "",
        "subject": one.subject,
        "messages_count": 1,
        "first_message_at": one.sent_at,
    }
    context["messages"] = [_message(one, shown)]
    context["is_live"] = True
    return one.thread_id


async def _search(
    services: Services,
    access: Access,
    context: dict[str, Any],
    q: str,
    cursor: str | None,
    channel_id: UUID | None,
) -> None:
    found = await search_messages(
        services.db, access.tenant, q, Page(SHOWN, cursor), channel_id=channel_id
    )
    names = {one["id"]: one["name"] for one in context["channels"]}
    if context["channel"] is not None:
        names[context["channel"].id] = context["channel"].name
    context["mode"] = "found"
    context["found"] = [_hit(one, names.get(one.channel_id, "")) for one in found.items]
    here = "/inbox" if channel_id is None else f"/inbox/{channel_id}"
    _pages(context, here, {"q": q}, found.next_cursor, cursor)


def _pages(
    context: dict[str, Any],
    here: str,
    picked: dict[str, Any],
    next_cursor: str | None,
    cursor: str | None,
) -> None:
    if next_cursor is not None:
        context["next_url"] = f"{here}?{urlencode(picked | {'cursor': next_cursor})}"
    if cursor is not None:
        context["first_url"] = f"{here}?{urlencode(picked)}"


def _message(one: Message, shown: Channel) -> dict[str, Any]:
    body, quoted = split_quote(one.body) if shown.kind == "email" else (one.body, "")
    return {
        "id": one.id,
        "sender": one.sender_name or one.sender_id,
        "address": one.sender_email or "",
        "is_ours": one.direction == "out",
        "automatic": one.automatic,
        "subject": one.subject,
        "body": body,
        "quoted": quoted,
        "attachments": [
            {"name": attached.name or "without a name", "bytes": attached.bytes}
            for attached in one.attachments
        ],
        "at": one.sent_at,
        "thread_id": one.thread_id,
        "is_unread": one.position > (shown.read_position or 0),
    }


def _hit(one: Found, channel_name: str) -> dict[str, Any]:
    at = f"thread={one.thread_id}" if one.thread_id else f"message={one.message_id}"
    return {
        "url": f"/inbox/{one.channel_id}?{at}#message-{one.message_id}",
        "channel": channel_name,
        "sender": one.sender_name,
        "subject": one.subject,
        "at": one.sent_at,
        "parts": one.parts,
    }


def inbox_pages() -> Router:
    """The inbox and the settings of its channels."""
    return Router(
        "/", route_handlers=[inbox, channel, read, *settings_handlers(), *incoming_handlers()]
    )
