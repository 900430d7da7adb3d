"""Messages through the API while a worker reads what they mean, beside a bare INSERT of the rows.

The peer is a superuser's `INSERT … SELECT FROM unnest` into the same table and indexes, a thousand
rows a commit: no lock, no threads, no rights, no jobs, no events, and nobody who reads them.
Then how long intelligence needs to be up to date, what server and worker hold in memory, and what
a thousand messages cost, taken in and read, beside a million others.
"""

import argparse
import asyncio
import os
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import psycopg

from http_kv_get import environment_of, free_port, server
from pairs import Bar, Outcome, compare, record, run
from place import Place, new_tenant, open_place
from tidings.ai.gateway import Gateway
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.db.transaction import Database
from tidings.intelligence.read import Reader
from tidings.messages.channels import NewChannel, create_channel
from tidings.messages.ingest import AFTER_INGEST, MOST_ITEMS, ingest
from tidings.messages.item import decode_items
from tidings.tenancy.api_keys import issue_key
from tidings.tenancy.secret_keys import load_secret_keys

RATE = Bar(
    "messages_ingest",
    "Messages in over the API, 1,000 at once, intelligence on",
    "bare INSERT of the same rows",
    "messages/s",
    0.25,
)
CURRENT = Bar(
    "messages_ingest_current",
    "Intelligence up to date, after the last of 100,000",
    "fifteen seconds",
    "s",
    1.0,
    at_most=True,
)
MEMORY = Bar(
    "messages_ingest_memory",
    "Memory of server and worker, most in the last run",
    "most in the first run",
    "MB",
    1.1,
    at_most=True,
)
BIG = Bar(
    "messages_ingest_big",
    "1,000 messages in and read, 1,000,000 stored",
    "some thousands stored",
    "ms",
    1.2,
    at_most=True,
)
SOON = 15.0
"""Seconds after the last answer in which intelligence has read what 100,000 messages said."""
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
    taken: list[float] = []
    late: list[float] = []
    held: list[float] = []
    async with (
        product(place) as (url, processes),
        httpx.AsyncClient(
            base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=60
        ) as client,
        await psycopg.AsyncConnection.connect(
            place.url(role="postgres"), autocommit=True
        ) as connection,
    ):

        async def ours() -> float:
            bodies = [msgspec.json.encode({"items": writer.batch()}) for _ in range(batches)]
            async with watched(processes) as most:
                began = time.perf_counter()
                for body in bodies:
                    answer = await client.post(f"/v1/channels/{channel.id}/messages", content=body)
                    assert answer.json()["created"] == MOST_ITEMS, answer.text
                ended = time.perf_counter()
                await until_read(client, channel.id)
                late.append(time.perf_counter() - ended)
                await until_done(connection)
            held.append(max(most))
            taken.append(ended - began)
            return batches * MOST_ITEMS / taken[-1]

        async def theirs() -> float:
            rows = [columns(other, tenant, bare.id) for _ in range(batches)]
            began = time.perf_counter()
            for params in rows:
                async with connection.transaction():
                    await connection.execute(BARE, params)
            return batches * MOST_ITEMS / (time.perf_counter() - began)

        outcome = await compare(RATE, ours, theirs, pairs)
    compared(CURRENT, outcome, late, [SOON] * len(late))
    compared(MEMORY, outcome, held[-1:], held[:1])


def compared(bar: Bar, like: Outcome, ours: list[float], peer: list[float]) -> None:
    """Record figures that came along with another bar's."""
    ratios = sorted(a / b for a, b in zip(ours, peer, strict=True))
    record(
        bar.name,
        replace(
            like,
            title=bar.title,
            with_whom=bar.peer,
            unit=bar.unit,
            asked=f"at most {bar.asked:g}",
            ours=round(statistics.median(ours), 1),
            peer=round(statistics.median(peer), 1),
            ratio=round(statistics.median(ratios), 3),
            spread=[round(ratios[0], 3), round(ratios[-1], 3)],
            met=statistics.median(ratios) <= bar.asked,
        ),
    )


@asynccontextmanager
async def product(place: Place) -> AsyncIterator[tuple[str, list[int]]]:
    """`tidings serve` and `tidings work`: the address, and the ids of both processes."""
    port = free_port()
    environment = environment_of(place, port)
    command = ["-m", "tidings", "work"]
    async with server(["-m", "tidings", "serve"], environment, port) as url:
        worker = await asyncio.create_subprocess_exec(
            sys.executable, *command, env=os.environ | environment
        )
        try:
            yield url, [worker.pid, *children(but=worker.pid)]
        finally:
            worker.terminate()
            await worker.wait()


def children(*, but: int) -> list[int]:
    """The Python programs that this process started."""
    mine = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [
        int(pid)
        for pid in mine
        if int(pid) != but and b"tidings" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


@asynccontextmanager
async def watched(processes: list[int]) -> AsyncIterator[list[float]]:
    """What the processes hold together in memory, in MB, several times a second."""
    seen = [_resident(processes)]

    async def look() -> None:
        while True:
            await asyncio.sleep(0.2)
            seen.append(_resident(processes))

    looking = asyncio.create_task(look())
    try:
        yield seen
    finally:
        looking.cancel()


def _resident(processes: list[int]) -> float:
    pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in processes)
    return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def until_read(client: httpx.AsyncClient, channel_id: UUID) -> None:
    """Until intelligence has read the last message."""
    while True:
        answer = await client.get(f"/v1/channels/{channel_id}/intelligence")
        if answer.json()["unread"] == 0:
            return
        await asyncio.sleep(0.05)


async def until_done(connection: psycopg.AsyncConnection[Any]) -> None:
    """Until no job waits: what is left to do would else be counted against the peer."""
    while True:
        found = await connection.execute(
            "SELECT FROM tidings.jobs WHERE kind = ANY(%s) LIMIT 1", [list(AFTER_INGEST)]
        )
        if found.rowcount == 0:
            return
        await asyncio.sleep(0.05)


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
    """A channel that holds so many already, all read, and what the next thousand cost."""

    def __init__(self, place: Place, database: Database, tenant: Tenant, channel_id: UUID) -> None:
        """Made by `open`."""
        settings = place.settings()
        self._reader = Reader(database, Gateway(database, settings, load_secret_keys(settings)))
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
            await connection.execute(
                "INSERT INTO tidings.conversation_intelligence "
                "(organization_id, channel_id, position) "
                "VALUES (%(organization)s, %(channel)s, %(count)s)",
                params,
            )
            await connection.execute("VACUUM ANALYZE tidings.messages")
            await connection.execute("CHECKPOINT")
        return cls(place, database, tenant, channel.id)

    async def milliseconds(self) -> float:
        """The mean of several batches: the text index settles its pending list now and then."""
        batches = [decode_items(self._writer.batch())[0] for _ in range(8)]
        began = time.perf_counter()
        for items in batches:
            await ingest(self._database, self._tenant, self._channel_id, items)
            read = await self._reader.read(self._tenant.as_service(), self._channel_id)
            assert read == MOST_ITEMS
        return (time.perf_counter() - began) / len(batches) * 1000


if __name__ == "__main__":
    run(main)
