"""Messages through the API, beside a bare INSERT of the same rows; and beside a million others.

The peer is a superuser's `INSERT … SELECT FROM unnest` into the same table and indexes, a thousand
rows a commit: no lock, no threads, no rights, no jobs, no events.
"""

import argparse
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import psycopg

from http_kv_get import tidings_server
from pairs import Bar, compare, run
from place import Place, new_tenant, open_place
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.db.transaction import Database
from tidings.messages.channels import NewChannel, create_channel
from tidings.messages.ingest import MOST_ITEMS, ingest
from tidings.messages.item import decode_items
from tidings.tenancy.api_keys import issue_key

RATE = Bar(
    "messages_ingest",
    "Messages in over the API, 1,000 at once",
    "bare INSERT of the same rows",
    "messages/s",
    0.25,
)
BIG = Bar(
    "messages_ingest_big",
    "1,000 messages in, 1,000,000 stored",
    "some thousands stored",
    "ms",
    1.2,
    at_most=True,
)
WORDS = [
    "".join(random.Random(n).choices("abcdefghijklmnopqrstuvwxyz", k=3 + n % 8))
    for n in range(4000)
]
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BARE = """
    INSERT INTO tidings.messages (organization_id, id, channel_id, position, external_id,
        direction, sender_id, sender_name, body, sent_at, search)
    SELECT %(organization)s, r.id, %(channel)s, %(before)s + r.n, r.external_id, 'in', r.sender,
        r.sender, r.body, r.sent_at, to_tsvector('english', r.body)
    FROM unnest(%(ids)s::uuid[], %(external_ids)s::text[], %(senders)s::text[],
        %(bodies)s::text[], %(sent_ats)s::timestamptz[]) WITH ORDINALITY
        AS r (id, external_id, sender, body, sent_at, n)"""
FILL = """
    INSERT INTO tidings.messages (organization_id, id, channel_id, position, external_id,
        direction, sender_id, body, sent_at, search)
    SELECT %(organization)s, tidings.uuid7(), %(channel)s, n, 'fill-' || n, 'in', 'filler',
        'word' || n %% 4000 || ' and word' || n %% 977, now() - n * interval '1 second',
        to_tsvector('english', 'word' || n %% 4000 || ' and word' || n %% 977)
    FROM generate_series(1, %(count)s) AS n"""


class Writer:
    """Batches that were not sent before; every third message answers the one before it."""

    def __init__(self) -> None:
        """Begins with the first message."""
        self.written = 0
        self._random = random.Random(7)

    def batch(self) -> list[dict[str, Any]]:
        """A thousand messages of some twenty words."""
        items = [self._item(self.written + n) for n in range(MOST_ITEMS)]
        self.written += MOST_ITEMS
        return items

    def _item(self, n: int) -> dict[str, Any]:
        return {
            "external_id": f"message-{n}",
            "sender": {"id": f"sender-{n % 200}", "name": f"Sender {n % 200}"},
            "direction": "in",
            "body": " ".join(self._random.choices(WORDS, k=20)),
            "sent_at": (NOON + timedelta(seconds=n)).isoformat(),
        } | ({"reply_to": f"message-{n - 1}"} if n % 3 == 2 else {})


async def main(options: argparse.Namespace) -> None:
    """First the rate, then what a large table adds to it."""
    batches = 5 if options.quick else 100
    async with open_place() as place, place.database() as database:
        tenant = await new_tenant(database)
        await rate(place, database, tenant, batches, options.pairs)
    stored = 100_000 if options.quick else 1_000_000
    async with (
        open_place() as few,
        open_place() as many,
        few.database() as few_db,
        many.database() as many_db,
    ):
        into_few = await Stored.open(few, few_db, 1_000)
        into_many = await Stored.open(many, many_db, stored)
        await into_few.milliseconds()  # what is not prepared yet is not counted
        await into_many.milliseconds()
        await compare(BIG, into_many.milliseconds, into_few.milliseconds, options.pairs)


async def rate(place: Place, database: Database, tenant: Tenant, batches: int, pairs: int) -> None:
    """Over HTTP, one request after another, beside one connection that inserts."""
    channel = await create_channel(database, tenant, NewChannel(name="ours", kind="chat"))
    bare = await create_channel(database, tenant, NewChannel(name="bare", kind="chat"))
    key = (await issue_key(database, tenant, "benchmark")).key
    writer, other = Writer(), Writer()
    async with (
        tidings_server(place) as url,
        httpx.AsyncClient(headers={"authorization": f"Bearer {key}"}, timeout=60) as client,
        await psycopg.AsyncConnection.connect(place.url(role="postgres")) as connection,
    ):
        path = f"{url.split('/v1/')[0].rstrip('/')}/v1/channels/{channel.id}/messages"

        async def ours() -> float:
            bodies = [msgspec.json.encode({"items": writer.batch()}) for _ in range(batches)]
            began = time.perf_counter()
            for body in bodies:
                answer = await client.post(path, content=body)
                assert answer.json()["created"] == MOST_ITEMS, answer.text
            return batches * MOST_ITEMS / (time.perf_counter() - began)

        async def theirs() -> float:
            rows = [columns(other, tenant, bare.id) for _ in range(batches)]
            began = time.perf_counter()
            for params in rows:
                await connection.execute(BARE, params)
                await connection.commit()
            return batches * MOST_ITEMS / (time.perf_counter() - began)

        await compare(RATE, ours, theirs, pairs)


def columns(writer: Writer, tenant: Tenant, channel_id: UUID) -> dict[str, Any]:
    """A batch as the bare INSERT takes it."""
    before = writer.written
    items = writer.batch()
    return {
        "organization": tenant.organization_id,
        "channel": channel_id,
        "before": before,
        "ids": [uuid7() for _ in items],
        "external_ids": [item["external_id"] for item in items],
        "senders": [item["sender"]["id"] for item in items],
        "bodies": [item["body"] for item in items],
        "sent_ats": [datetime.fromisoformat(item["sent_at"]) for item in items],
    }


class Stored:
    """A channel that holds so many already, and what the next thousand cost."""

    def __init__(self, database: Database, tenant: Tenant, channel_id: UUID) -> None:
        """Made by `open`."""
        self._database = database
        self._tenant = tenant
        self._channel_id = channel_id
        self._writer = Writer()

    @classmethod
    async def open(cls, place: Place, database: Database, count: int) -> "Stored":
        """Fill a channel as a superuser, and leave the table as autovacuum does."""
        tenant = await new_tenant(database)
        channel = await create_channel(database, tenant, NewChannel(name="full", kind="chat"))
        async with await psycopg.AsyncConnection.connect(
            place.url(role="postgres"), autocommit=True
        ) as connection:
            params = {
                "organization": tenant.organization_id,
                "channel": channel.id,
                "count": count,
            }
            await connection.execute(FILL, params)
            await connection.execute(
                "UPDATE tidings.channels SET last_position = %s WHERE id = %s", [count, channel.id]
            )
            await connection.execute("VACUUM ANALYZE tidings.messages")
            await connection.execute("CHECKPOINT")
        return cls(database, tenant, channel.id)

    async def milliseconds(self) -> float:
        """The mean of several batches: the text index settles its pending list now and then."""
        batches = [decode_items(self._writer.batch())[0] for _ in range(8)]
        began = time.perf_counter()
        for items in batches:
            await ingest(self._database, self._tenant, self._channel_id, items)
        return (time.perf_counter() - began) / len(batches) * 1000


if __name__ == "__main__":
    run(main)
