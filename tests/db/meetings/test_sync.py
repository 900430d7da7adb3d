"""Fetching from Fathom: only what is new, nothing lost by an interruption."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tidings.base import clock
from tidings.base.cursor import Page
from tidings.base.errors import SourceUnconfigured
from tidings.db.transaction import Database
from tidings.meetings.capture import Captured
from tidings.meetings.fathom import FathomClient
from tidings.meetings.read import list_meetings
from tidings.meetings.sync import sync_domain
from tidings.meetings.testing import NO_ANSWER, FakeFathom, status

from factories.meetings import meeting
from factories.organizations import Organization

DOMAIN = "acme.example"


@pytest_asyncio.fixture
async def fathom() -> AsyncIterator[FakeFathom]:
    async with FakeFathom([meeting(n) for n in range(25)]) as fake:
        yield fake


@pytest_asyncio.fixture
async def client(fathom: FakeFathom) -> AsyncIterator[FathomClient]:
    async def no_pause(_: float) -> None:
        return

    async with FathomClient(fathom.api_key, fathom.base_url, sleep=no_pause) as client:
        yield client


async def sync(
    db: Database, organization: Organization, client: FathomClient, fresh: float = 0
) -> Captured | None:
    return await sync_domain(db, organization.tenant, client, DOMAIN, fresh_seconds=fresh)


async def stored(db: Database, organization: Organization) -> int:
    return len((await list_meetings(db, organization.tenant, Page(200, None))).items)


async def test_all_pages_then_only_what_is_new(
    db: Database, organization: Organization, client: FathomClient, fathom: FakeFathom
) -> None:
    assert await sync(db, organization, client) == Captured(created=25)
    assert len(fathom.calls) == 3
    fathom.meetings.append(meeting(100))
    assert await sync(db, organization, client) == Captured(created=1, unchanged=1)
    assert len(fathom.calls) == 4
    (after,) = fathom.calls[-1].query["created_after"]
    assert after == "2026-01-24T10:00:00Z"


async def test_a_long_meeting_that_appears_after_a_later_one_is_fetched(
    db: Database, organization: Organization, client: FathomClient, fathom: FakeFathom
) -> None:
    await sync(db, organization, client)
    late = meeting(100) | {"created_at": "2026-01-25T08:30:00Z"}
    fathom.meetings.append(late)
    taken = await sync(db, organization, client)
    assert taken is not None
    assert taken.created == 1


async def test_a_time_to_come_does_not_hide_what_comes_before_it(
    db: Database, organization: Organization, client: FathomClient, fathom: FakeFathom
) -> None:
    fathom.meetings[-1] = fathom.meetings[-1] | {"created_at": "2126-01-01T00:00:00Z"}
    await sync(db, organization, client)
    fathom.meetings.append(meeting(100) | {"created_at": f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"})
    taken = await sync(db, organization, client)
    assert taken is not None
    assert taken.created == 1


async def test_two_of_one_moment_are_both_fetched(
    db: Database, organization: Organization, client: FathomClient, fathom: FakeFathom
) -> None:
    await sync(db, organization, client)
    same = fathom.meetings[-1]["created_at"]
    fathom.meetings.append(meeting(100) | {"created_at": same})
    assert await sync(db, organization, client) == Captured(created=1, unchanged=1)


async def test_a_fresh_one_is_skipped(
    db: Database, organization: Organization, client: FathomClient, fathom: FakeFathom
) -> None:
    await sync(db, organization, client)
    calls = len(fathom.calls)
    assert await sync(db, organization, client, fresh=600) is None
    assert len(fathom.calls) == calls
    other = await sync_domain(db, organization.tenant, client, "b.example", fresh_seconds=600)
    assert other == Captured()


async def test_each_organization_syncs_for_itself(
    db: Database,
    organization: Organization,
    other_organization: Organization,
    client: FathomClient,
) -> None:
    await sync(db, organization, client)
    assert await stored(db, other_organization) == 0
    assert await sync(db, other_organization, client, fresh=600) == Captured(created=25)


async def test_one_that_failed_is_repeated_from_the_last_whole_one(
    db: Database, organization: Organization, client: FathomClient, fathom: FakeFathom
) -> None:
    await sync(db, organization, client)
    fathom.meetings += [meeting(n) for n in range(100, 115)]
    fathom.script(status(401))
    with pytest.raises(SourceUnconfigured):
        await sync(db, organization, client)
    # Not noted as done: even somebody content with an old one fetches again.
    taken = await sync(db, organization, client)
    assert taken == Captured(created=15, unchanged=1)


async def test_an_interrupted_one_keeps_what_it_stored(
    db: Database, organization: Organization, client: FathomClient, fathom: FakeFathom
) -> None:
    fathom.meetings = [meeting(n, said=()) for n in range(450)]
    fathom.page_size = 150
    silent = asyncio.create_task(interrupted(db, organization, client, fathom))
    await asyncio.wait_for(fathom.silent.wait(), 30)
    silent.cancel()
    await asyncio.gather(silent, return_exceptions=True)
    assert await stored_ids(db, organization) == 300
    assert await sync(db, organization, client) == Captured(created=150, unchanged=300)


async def interrupted(
    db: Database, organization: Organization, client: FathomClient, fathom: FakeFathom
) -> None:
    """Two pages come, the third never does."""
    answer = fathom._answer
    fathom._answer = lambda call: NO_ANSWER if len(fathom.calls) > 2 else answer(call)  # type: ignore[method-assign]
    try:
        await sync(db, organization, client)
    finally:
        fathom._answer = answer  # type: ignore[method-assign]


async def stored_ids(db: Database, organization: Organization) -> int:
    found, cursor = 0, None
    while True:
        page = await list_meetings(db, organization.tenant, Page(200, cursor))
        found += len(page.items)
        cursor = page.next_cursor
        if cursor is None:
            return found


async def test_bad_items_do_not_stop_the_others(
    db: Database, organization: Organization, client: FathomClient, fathom: FakeFathom
) -> None:
    fathom.meetings[3] = fathom.meetings[3] | {"title": 7}
    assert await sync(db, organization, client) == Captured(created=24)


async def test_an_empty_account_is_noted(
    db: Database, organization: Organization, client: FathomClient, fathom: FakeFathom
) -> None:
    fathom.meetings = []
    assert await sync(db, organization, client) == Captured()
    assert await sync(db, organization, client, fresh=600) is None
    fathom.meetings = [meeting(1)]
    assert await sync(db, organization, client) == Captured(created=1)
