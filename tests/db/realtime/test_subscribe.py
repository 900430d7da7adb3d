"""Subscribers get every event of their topics and organization, in order, and can resume."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tidings.base.errors import CursorInvalid, InputInvalid, RowMissing
from tidings.base.tenant import Tenant
from tidings.db.listen import Listener
from tidings.db.transaction import Database
from tidings.realtime import subscribe
from tidings.realtime.outbox import Event, publish, sweep_outbox
from tidings.realtime.relay import Relay
from tidings.realtime.subscribe import CHANNEL, Hub
from tidings.realtime.subscription import Subscription
from tidings.realtime.topics import any_member

from factories.organizations import Organization


async def write(db: Database, tenant: Tenant, topic: str, *payloads: Any) -> None:
    async with db.tenant_batch(tenant) as batch:
        for payload in payloads:
            publish(batch, topic, "said", payload)


async def take(subscription: Subscription, count: int) -> list[Event]:
    async with asyncio.timeout(20):
        return [await anext(subscription) for _ in range(count)]


@asynccontextmanager
async def running(*duties: Any) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(duty) for duty in duties]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_events_of_its_topics_and_organization_alone(
    db: Database,
    hub: Hub,
    relay: Relay,
    organization: Organization,
    other_organization: Organization,
) -> None:
    async with (
        hub.subscribe(organization.tenant, ["run:1", "note:1", "run:1"]) as mine,
        hub.subscribe(other_organization.tenant, ["run:1"]) as theirs,
    ):
        await write(db, organization.tenant, "run:1", "a")
        await write(db, organization.tenant, "run:2", "b")
        await write(db, other_organization.tenant, "run:1", "c")
        await write(db, organization.tenant, "note:1", "d")
        await relay.turn()
        assert [e.payload for e in await take(mine, 2)] == ["a", "d"]
        assert [e.payload for e in await take(theirs, 1)] == ["c"]


async def test_topics_are_checked(db: Database, organization: Organization) -> None:
    asked: list[str] = []

    async def refuse(tenant: Tenant, rest: str) -> bool:
        asked.append(rest)
        return False

    hub = Hub(db, {"secret": refuse, "run": any_member})
    for topics, error in (
        (["secret:a:b"], RowMissing),
        (["run:1", "unknown:1"], InputInvalid),
        ([], InputInvalid),
        (["run:1"] * 101, InputInvalid),
        (["run:\x00"], InputInvalid),
    ):
        with pytest.raises(error):
            async with hub.subscribe(organization.tenant, topics):
                pytest.fail("subscribed")
    assert asked == ["a:b"]


async def test_what_was_committed_before_and_not_yet_published_is_handed_out(
    db: Database, hub: Hub, relay: Relay, organization: Organization
) -> None:
    await write(db, organization.tenant, "run:1", "published before")
    await relay.turn()
    await write(db, organization.tenant, "run:1", "only committed before")
    async with hub.subscribe(organization.tenant, ["run:1"]) as events:
        await relay.turn()
        assert [e.payload for e in await take(events, 1)] == ["only committed before"]


async def test_it_resumes_after_a_position(
    db: Database, hub: Hub, relay: Relay, organization: Organization
) -> None:
    await write(db, organization.tenant, "run:1", *range(1200))
    await write(db, organization.tenant, "note:1", "n")
    while (await relay.turn()).published:
        pass
    async with hub.subscribe(organization.tenant, ["run:1", "note:1"], after=5) as events:
        missed = await take(events, 1196)
        assert [e.position for e in missed] == list(range(6, 1202))
        assert events.position == 1201
        await write(db, organization.tenant, "run:1", "live")
        await relay.turn()
        assert (await take(events, 1))[0].payload == "live"


async def test_large_events_are_read_a_few_at_a_time(
    db: Database,
    hub: Hub,
    relay: Relay,
    organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subscribe, "_PAGE_BYTES", 1_000)
    payloads = ["x" * 600, "y" * 600, "z" * 5_000, "last"]
    await write(db, organization.tenant, "run:1", *payloads)
    await relay.turn()
    async with hub.subscribe(organization.tenant, ["run:1"], after=0) as events:
        sizes = []
        while sum(sizes) < len(payloads):
            sizes.append(sum(len(burst.events) for burst in await events.take()))
    assert sizes == [2, 1, 1]


async def test_a_position_too_old_or_never_given_is_refused(
    db: Database, hub: Hub, relay: Relay, organization: Organization, later: Any
) -> None:
    await write(db, organization.tenant, "run:1", *range(10))
    await relay.turn()
    with pytest.raises(CursorInvalid):
        async with hub.subscribe(organization.tenant, ["run:1"], after=11):
            pytest.fail("subscribed")
    await sweep_outbox(await later(timedelta(hours=25)))
    with pytest.raises(CursorInvalid):
        async with hub.subscribe(organization.tenant, ["run:1"], after=3):
            pytest.fail("subscribed")
    async with hub.subscribe(organization.tenant, ["run:1"], after=10) as events:
        assert events.position == 10


async def test_a_resume_that_the_sweep_overtakes_ends(
    db: Database, hub: Hub, relay: Relay, organization: Organization, later: Any
) -> None:
    await write(db, organization.tenant, "run:1", *range(1000))
    await relay.turn()
    async with hub.subscribe(organization.tenant, ["run:1"], after=0) as events:
        await take(events, 3)
        await sweep_outbox(await later(timedelta(hours=25)))
        rest = [event async for event in events]
    assert len(rest) == 497
    assert events.dropped
    assert events.position == 500


async def test_a_slow_consumer_is_dropped_and_resumes(
    db: Database, hub: Hub, relay: Relay, organization: Organization
) -> None:
    async with (
        hub.subscribe(organization.tenant, ["run:1"]) as slow,
        hub.subscribe(organization.tenant, ["run:1"]) as quick,
    ):
        await write(db, organization.tenant, "run:1", "first")
        await relay.turn()
        await take(slow, 1)
        for start in range(0, 120, 40):
            await write(db, organization.tenant, "run:1", *range(start, start + 40))
            await relay.turn()
            await take(quick, 41 if start == 0 else 40)
        assert [event async for event in slow] == []
        assert slow.dropped
        assert not quick.dropped
    async with hub.subscribe(organization.tenant, ["run:1"], after=slow.position) as events:
        assert [e.payload for e in await take(events, 120)] == list(range(120))


async def test_one_failing_subscriber_stops_nobody_else(
    db: Database, hub: Hub, relay: Relay, organization: Organization
) -> None:
    async def fail() -> None:
        async with hub.subscribe(organization.tenant, ["run:1"]) as events:
            started.set()
            await anext(events)
            raise ZeroDivisionError

    started = asyncio.Event()
    failing = asyncio.create_task(fail())
    async with hub.subscribe(organization.tenant, ["run:1"]) as events:
        await started.wait()
        await write(db, organization.tenant, "run:1", 1, 2, 3)
        await relay.turn()
        assert [e.payload for e in await take(events, 3)] == [1, 2, 3]
        with pytest.raises(ZeroDivisionError):
            await failing
        await write(db, organization.tenant, "run:1", 4)
        await relay.turn()
        assert (await take(events, 1))[0].payload == 4


async def test_a_number_of_any_size_stops_nobody(
    db: Database, hub: Hub, relay: Relay, organization: Organization, superuser_url: str
) -> None:
    """PostgreSQL keeps, and writes out, integers that Python makes none of."""
    async with hub.subscribe(organization.tenant, ["run:1"]) as events:
        async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
            await connection.execute(
                "SELECT tidings.publish_for_v1(%s, 'run:1', 'n', '1e5000')",
                [organization.organization_id],
            )
        await write(db, organization.tenant, "run:1", 2)
        await relay.turn()
        assert [e.payload for e in await take(events, 2)] == [math.inf, 2]


async def test_giving_up_a_wait_loses_nothing_and_the_position_moves_on(
    db: Database, hub: Hub, relay: Relay, organization: Organization
) -> None:
    async with (
        hub.subscribe(organization.tenant, ["run:1"]) as events,
        hub.subscribe(organization.tenant, ["run:2"]) as others,
    ):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await anext(events)
        await write(db, organization.tenant, "run:2", "theirs")
        await relay.turn()
        await take(others, 1)
        assert events.position == 1  # nothing of its own, and nothing missed
        await write(db, organization.tenant, "run:1", "mine")
        await relay.turn()
        assert (await take(events, 1))[0].payload == "mine"
    assert events.position == 2
    assert [event async for event in events] == []


async def test_nothing_is_lost_between_resuming_and_live(
    db: Database, organization: Organization
) -> None:
    """Subscribers leave and resume all the time while events keep coming."""
    total = 400
    # Room for all: on a busy machine many may come at once, and nobody is to be too slow here.
    hub = Hub(db, {"run": any_member}, poll=0.01, queue=total)
    relay = Relay(db)

    async def keep_writing() -> None:
        for n in range(total):
            await write(db, organization.tenant, "run:1", n)
            relay.nudge()

    async def keep_resuming(stay: int) -> list[int]:
        seen: list[int] = []
        position = 0
        while len(seen) < total:
            async with hub.subscribe(organization.tenant, ["run:1"], after=position) as events:
                seen += [e.payload for e in await take(events, min(stay, total - len(seen)))]
            position = events.position
        return seen

    async with (
        running(hub.run(), relay.run()),
        asyncio.timeout(60),
        asyncio.TaskGroup() as group,
    ):
        group.create_task(keep_writing())
        readers = [group.create_task(keep_resuming(stay)) for stay in (1, 7, 60, total)]
    for reader in readers:
        assert reader.result() == list(range(total))


async def test_lost_connections_of_everybody_lose_no_event(
    db: Database, organization: Organization, database_url: str, superuser_url: str
) -> None:
    hub = Hub(db, {"run": any_member}, poll=0.05)
    listener = Listener(database_url, {CHANNEL: hub.wake})
    relay = Relay(db)

    async def kill_all() -> None:
        async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND usename = 'tidings_app'"
            )

    async def insist(n: int) -> None:
        # A lost connection may have committed; an event twice is the writer's doing here.
        while True:
            try:
                return await write(db, organization.tenant, "run:1", n)
            except Exception:
                await asyncio.wait_for(listener.connected.wait(), 20)

    async with (
        running(hub.run(), listener.run(), relay.run()),
        hub.subscribe(organization.tenant, ["run:1"]) as events,
    ):
        for n in range(5):
            await insist(n)
            await kill_all()
            while (await take(events, 1))[0].payload != n:
                pass


async def test_the_listener_wakes_the_hub(
    db: Database, relay: Relay, organization: Organization, database_url: str
) -> None:
    hub = Hub(db, {"run": any_member}, poll=3600)
    listener = Listener(database_url, {CHANNEL: hub.wake})
    async with running(hub.run(), listener.run()):
        await asyncio.wait_for(listener.connected.wait(), 20)
        async with hub.subscribe(organization.tenant, ["run:1"]) as events:
            await write(db, organization.tenant, "run:1", 1)
            await relay.turn()
            assert (await take(events, 1))[0].payload == 1


async def test_events_wait_for_a_hub_that_starts_later(
    db: Database, relay: Relay, organization: Organization
) -> None:
    hub = Hub(db, {"run": any_member})
    async with hub.subscribe(organization.tenant, ["run:1"]) as events:
        await write(db, organization.tenant, "run:1", 1)
        await relay.turn()
        async with running(hub.run()):
            assert (await take(events, 1))[0].payload == 1
