"""Taking messages in: each once by (channel, external id), at the next positions, in its thread.

A batch costs two round trips whatever it holds: one under the channel's lock for what is known,
one for all that is written. The lock makes positions gapless, and repeats find what they repeat.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from tidings.base.errors import RowMissing, StateConflict
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Row, Transaction
from tidings.messages.item import MOST_ITEMS, ItemError, MessageItem
from tidings.messages.references import bare
from tidings.messages.threads import Known, Plan, plan_threads
from tidings.queue.enqueue import NewJob, enqueue_many
from tidings.realtime.outbox import publish

sql = load_queries("tidings.messages")

LANGUAGE = "english"  # the search configuration; the engines state their languages

AFTER_INGEST = ("intelligence.read", "replies.consider")
"""Kinds of the jobs that are enqueued with each batch of a channel, by whom they are done."""


class Ingested(msgspec.Struct, frozen=True):
    """What became of the items."""

    created: int = 0
    duplicates: int = 0
    errors: list[ItemError] = []

    def __add__(self, other: "Ingested") -> "Ingested":
        return Ingested(
            self.created + other.created,
            self.duplicates + other.duplicates,
            [*self.errors, *other.errors],
        )


class _Found(msgspec.Struct, frozen=True):
    last_position: int
    messages: dict[str, Known]
    threads: dict[str, UUID]
    external_ids: frozenset[str]


async def ingest(
    db: Database, tenant: Tenant, channel_id: UUID, items: Sequence[MessageItem]
) -> Ingested:
    """Store messages, `MOST_ITEMS` in a transaction; a repeat changes nothing.

    Raises `RowMissing` when the tenant is no member of the channel, `StateConflict` for an archived
    one, `RoleForbidden` when the tenant may not write.
    """
    total = Ingested()
    for start in range(0, len(items), MOST_ITEMS):
        async with db.tenant_transaction(tenant) as transaction:
            total += await ingest_in(transaction, channel_id, items[start : start + MOST_ITEMS])
    return total


async def ingest_in(
    transaction: Transaction, channel_id: UUID, items: Sequence[MessageItem]
) -> Ingested:
    """As `ingest`, in the caller's transaction: one round trip, and the writes with its commit."""
    first = {item.external_id: item for item in reversed(items)}  # the first of a repeated id
    unique = list(reversed(first.values()))
    found = await _find(transaction, channel_id, unique)
    new = [item for item in unique if item.external_id not in found.external_ids]
    if new:
        plan = plan_threads(new, found.last_position + 1, found.messages, found.threads)
        _write(transaction, channel_id, new, found.last_position, plan)
    return Ingested(len(new), len(items) - len(new))


async def _find(transaction: Transaction, channel_id: UUID, items: Sequence[MessageItem]) -> _Found:
    """What is stored of all that the items name, under the channel's lock."""
    messages: dict[str, None] = {}
    threads: dict[str, None] = {}
    for item in items:
        messages[item.external_id] = None
        if item.thread_id:
            threads[item.thread_id] = None
            continue
        threads[bare(item.external_id)] = None
        for one in item.references:
            threads[one] = None
            messages[one] = None
            messages[f"<{one}>"] = None
    transaction.queue(sql.lock_channel, {"channel_id": channel_id})
    rows = await transaction.fetch(
        sql.known_messages,
        {"channel_id": channel_id, "messages": list(messages), "threads": list(threads)},
    )
    channel = next((row for row in rows if row["kind"] == "channel"), None)
    if channel is None:
        raise RowMissing("There is no such channel here, or you are not a member of it.")
    if channel["position"] is None:
        raise StateConflict("The channel is archived; bring it back before it takes messages.")
    return _sorted(channel["position"], rows)


def _sorted(last_position: int, rows: Sequence[Row]) -> _Found:
    return _Found(
        last_position,
        {
            bare(row["external_id"]): Known(
                row["id"], row["thread_id"], row["sent_at"], row["subject"]
            )
            for row in rows
            if row["kind"] == "message"
        },
        {row["external_id"]: row["id"] for row in rows if row["kind"] == "thread"},
        frozenset(row["external_id"] for row in rows if row["kind"] == "message"),
    )


def _write(
    transaction: Transaction,
    channel_id: UUID,
    items: Sequence[MessageItem],
    before: int,
    plan: Plan,
) -> None:
    last = before + len(items)
    transaction.queue(
        sql.place_messages,
        {
            "channel_id": channel_id,
            "position": last,
            "last_at": max(item.sent_at for item in items),
        },
    )
    if plan.threads:
        transaction.queue(sql.upsert_threads, _thread_columns(channel_id, plan))
    transaction.queue(sql.insert_messages, _columns(channel_id, items, before, plan))
    if plan.joining:
        transaction.queue(
            sql.join_threads,
            {
                "ids": [message_id for message_id, _ in plan.joining],
                "thread_ids": [thread_id for _, thread_id in plan.joining],
            },
        )
    args = {"channel_id": str(channel_id), "position": last}
    enqueue_many(
        transaction,
        [
            NewJob(kind=kind, args=args, concurrency_key=f"{kind}:{channel_id}")
            for kind in AFTER_INGEST
        ],
    )
    payload = {"count": len(items), "last_position": last}
    publish(transaction, f"channel:{channel_id}", "messages", payload)


def _columns(
    channel_id: UUID, items: Sequence[MessageItem], before: int, plan: Plan
) -> dict[str, Any]:
    return {
        "channel_id": channel_id,
        "language": LANGUAGE,
        "before": before,
        "ids": [uuid7() for _ in items],
        "external_ids": [item.external_id for item in items],
        "thread_ids": plan.threads_of,
        "reply_tos": [item.reply_to or _answered(item) for item in items],
        "directions": [item.direction for item in items],
        "sender_ids": [item.sender.id for item in items],
        "sender_names": [item.sender.name for item in items],
        "sender_emails": [item.sender.email for item in items],
        "answer_tos": [item.answer_to for item in items],
        "subjects": [item.subject for item in items],
        "bodies": [item.body for item in items],
        "attachments": [_attachments(item) for item in items],
        "automatics": [item.automatic for item in items],
        "sent_ats": [item.sent_at for item in items],
    }


def _answered(item: MessageItem) -> str | None:
    named = item.references if item.headers else None
    return named[-1] if named else None


def _attachments(item: MessageItem) -> str:
    return msgspec.json.encode(item.attachments).decode() if item.attachments else "[]"


def _thread_columns(channel_id: UUID, plan: Plan) -> dict[str, Any]:
    threads = plan.threads
    return {
        "channel_id": channel_id,
        "ids": [thread.id for thread in threads],
        # That of a stored thread is not looked at, but it must be one.
        "external_ids": [thread.external_id or str(thread.id) for thread in threads],
        "subjects": [thread.subject for thread in threads],
        "counts": [thread.count for thread in threads],
        "first_ats": [thread.first_at for thread in threads],
        "last_ats": [thread.last_at for thread in threads],
        "positions": [thread.last_position for thread in threads],
    }
