"""Two processes and a change: neither shows what was before it once the news had time to come."""

import asyncio
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from tidings.base.cursor import Page
from tidings.meetings.capture import capture, decode_items
from tidings.meetings.read import list_meetings

from factories.meetings import meeting

SCRIPT = Path(__file__).with_name("process_of_test_recall.py")
PATIENCE = 60
SECONDS = 20.0
"""Far more than the news takes (milliseconds), far less than what is remembered lasts."""
CHANGES = 20


class Process:
    """One that remembers, and does as it is told."""

    def __init__(self, child):
        self._child = child

    async def ask(self, line):
        self._child.stdin.write(f"{line}\n".encode())
        await self._child.stdin.drain()
        return await self.hear()

    async def hear(self):
        read = await asyncio.wait_for(self._child.stdout.readline(), PATIENCE)
        return read.decode().strip()

    async def hold(self, title):
        """Read until it comes from memory; what was read meanwhile is never older than `title`."""
        async with asyncio.timeout(PATIENCE):
            while (answer := await self.ask("read")) != f"held {title}":
                assert answer == f"loaded {title}"

    async def until(self, title):
        """Read until the title is this one; the seconds that took."""
        began = time.monotonic()
        async with asyncio.timeout(PATIENCE):
            while not (await self.ask("read")).endswith(f" {title}"):
                pass
        return time.monotonic() - began

    def kill(self):
        self._child.kill()


@asynccontextmanager
async def process(*arguments):
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        str(SCRIPT),
        *map(str, arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Process(child)
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


@pytest.fixture
async def two(db, organization, database_url):
    """Two processes that both hold the meeting, titled `First`."""
    items, errors = decode_items([meeting(1, title="First")])
    assert errors == []
    await capture(db, organization.tenant, "api", items)
    (row,) = (await list_meetings(db, organization.tenant, Page(10))).items
    who = (organization.organization_id, organization.user_id, row.id)
    async with AsyncExitStack() as stack:
        both = [await stack.enter_async_context(process(database_url, *who)) for _ in range(2)]
        for one in both:
            assert await one.hear() == "on"
        for one in both:
            await one.hold("First")
        yield both


async def test_every_change_reaches_the_other_process(two):
    writer, reader = two
    slowest = 0.0
    for turn in range(CHANGES):
        assert await writer.ask(f"rename Title {turn}") == "renamed"
        slowest = max(slowest, await reader.until(f"Title {turn}"))
        await reader.hold(f"Title {turn}")
        await writer.until(f"Title {turn}")
        writer, reader = reader, writer
    assert slowest < SECONDS


async def test_a_change_while_the_listeners_are_cut_is_never_missed(two, superuser_url):
    writer, reader = two
    async with await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as admin:
        for turn in range(5):
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'tidings-listen' AND datname = current_database()"
            )
            assert await writer.ask(f"rename Title {turn}") == "renamed"
            assert await reader.until(f"Title {turn}") < SECONDS
            for one in two:
                await one.until(f"Title {turn}")
                await one.hold(f"Title {turn}")


async def test_a_writer_that_is_killed_after_its_commit_is_heard_of(two):
    writer, reader = two
    assert await writer.ask("rename Last words") == "renamed"
    writer.kill()
    # Its relay may have died before it told; the other's takes over when the lease ends.
    assert await reader.until("Last words") < 5 + SECONDS
    await reader.hold("Last words")
