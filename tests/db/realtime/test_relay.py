"""The relay publishes what is committed, each event once, in an order that readers can rely on."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.db.pools import primary_pool
from tidings.db.transaction import Database
from tidings.realtime import relay as relay_module
from tidings.realtime.outbox import Event, publish, sql, sweep_outbox
from tidings.realtime.relay import Relay

from factories.organizations import Organization
from wire import CountingProxy


async def write(db: Database, tenant: Tenant, topic: str, *payloads: Any) -> None:
    async with db.tenant_batch(tenant) as batch:
        for payload in payloads:
            publish(batch, topic, "said", payload)


async def read_after(db: Database, after: int, most: int = 10_000) -> list[Event]:
    async with db.system_batch() as batch:
        answer = batch.add(sql.events_after, {"after": after, "max": most}, row=Event)
    return answer.rows


async def test_it_numbers_events_in_the_order_written(
    db: Database, relay: Relay, organization: Organization
) -> None:
    await write(db, organization.tenant, "run:1", *range(20))
    turn = await relay.turn()
    assert (turn.is_leader, turn.published, turn.last_position) == (True, 20, 20)
    events = await read_after(db, 0)
    assert [(event.payload, event.position) for event in events] == [(n, n + 1) for n in range(20)]
    assert {event.organization_id for event in events} == {organization.organization_id}
    assert (await relay.turn()).published == 0


async def test_a_lower_id_that_commits_later_is_still_published(
    db: Database, relay: Relay, organization: Organization, superuser_url: str
) -> None:
    async with db.tenant_transaction(organization.tenant) as slow:
        publish(slow, "run:1", "said", "slow")
        await slow.fetch(sql.outbox_bounds)  # the slow event is written, not committed
        await write(db, organization.tenant, "run:1", "quick")
        assert (await relay.turn()).published == 1
        assert [event.payload for event in await read_after(db, 0)] == ["quick"]
    assert (await relay.turn()).published == 1
    assert [event.payload for event in await read_after(db, 1)] == ["slow"]
    async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
        rows = await connection.execute("SELECT payload FROM tidings.outbox ORDER BY serial")
        assert [row[0] for row in await rows.fetchall()] == ["slow", "quick"]


async def test_what_is_rolled_back_is_never_published(
    db: Database, relay: Relay, organization: Organization
) -> None:
    with suppress(ZeroDivisionError):
        async with db.tenant_transaction(organization.tenant) as transaction:
            publish(transaction, "run:1", "said", "never")
            await transaction.fetch(sql.outbox_bounds)
            raise ZeroDivisionError
    assert (await relay.turn()).published == 0


async def test_a_batch_is_bounded_and_notified_once(
    db: Database, organization: Organization, database_url: str
) -> None:
    await write(db, organization.tenant, "run:1", *range(25))
    relay = Relay(db, batch=10)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as listening:
        await listening.execute("LISTEN tidings_events")
        published = [(await relay.turn()).published for _ in range(4)]
        notices = [n.payload async for n in listening.notifies(timeout=20, stop_after=3)]
    assert published == [10, 10, 5, 0]
    assert notices == ["10", "20", "25"]


async def test_only_the_holder_of_the_lease_publishes_unless_hinted(
    db: Database, organization: Organization
) -> None:
    relay = Relay(db, lease=timedelta(minutes=1))
    await relay.turn()
    other = Relay(db)
    await write(db, organization.tenant, "run:1", "a")
    assert not (await other.turn()).is_leader
    assert await read_after(db, 0) == []
    turn = await other.turn(hinted=True)
    assert (turn.is_leader, turn.published) == (False, 1)
    assert (await relay.turn()).is_leader
    await write(db, organization.tenant, "run:1", "b")
    assert (await relay.turn()).last_position == 2


async def test_the_lease_ends_by_time_and_by_release(
    db: Database, later: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_FAREWELL", 20)
    lease = timedelta(minutes=1)
    first = Relay(db, lease=lease)
    assert (await first.turn()).is_leader
    assert not (await Relay(db).turn()).is_leader
    second = Relay(await later(timedelta(seconds=61)), lease=lease)
    assert (await second.turn()).is_leader
    assert not (await first.turn()).is_leader
    task = asyncio.create_task(second.run())
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert (await first.turn()).is_leader


async def test_positions_never_become_visible_out_of_order(
    db: Database, organization: Organization, other_organization: Organization
) -> None:
    """Writers, and relays that disregard the lease, at once; a reader who only ever reads on."""
    writers, each = 8, 25

    async def keep_writing(writer: int) -> None:
        tenant = (organization if writer % 2 else other_organization).tenant
        for n in range(each):
            await write(db, tenant, f"run:{writer}", n)

    seen: list[Event] = []

    async def relay_all() -> None:
        relay = Relay(db, batch=7)
        while len(seen) < writers * each:
            await relay.turn(hinted=True)

    async def read_on() -> None:
        while len(seen) < writers * each:
            seen.extend(await read_after(db, seen[-1].position if seen else 0, 11))

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for writer in range(writers):
            group.create_task(keep_writing(writer))
        for _ in range(3):
            group.create_task(relay_all())
        group.create_task(read_on())
    assert [event.position for event in seen] == list(range(1, writers * each + 1))
    for writer in range(writers):
        assert [e.payload for e in seen if e.topic == f"run:{writer}"] == list(range(each))


async def test_a_relay_killed_in_the_middle_loses_and_repeats_nothing(
    db: Database, organization: Organization
) -> None:
    total = 300
    done = asyncio.Event()

    async def keep_writing() -> None:
        for n in range(total):
            await write(db, organization.tenant, "run:1", n)
        done.set()

    async def keep_killing() -> None:
        kills = 0
        while kills < 20 or not done.is_set():
            relay = Relay(db, batch=5)
            task = asyncio.create_task(relay.run())
            for _ in range(kills % 4):
                relay.nudge()
                await read_after(db, 0, 1)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            kills += 1

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(keep_writing())
        group.create_task(keep_killing())
    last = Relay(db)
    while (await last.turn(hinted=True)).published:
        pass
    events = await read_after(db, 0)
    assert [event.payload for event in events] == list(range(total))
    assert [event.position for event in events] == list(range(1, total + 1))


async def test_a_nudge_publishes_at_once(
    db: Database, organization: Organization, database_url: str
) -> None:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as listening:
        await listening.execute("LISTEN tidings_events")
        await Relay(db, lease=timedelta(hours=1)).turn()  # somebody else leads
        relay = Relay(db)
        task = asyncio.create_task(relay.run())
        await write(db, organization.tenant, "run:1", "a")
        relay.nudge()
        notices = [n.payload async for n in listening.notifies(timeout=20, stop_after=1)]
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert notices == ["1"]


async def test_a_turn_is_one_round_trip(
    settings: Settings, database_url: str, cluster: Any, wire: CountingProxy
) -> None:
    url = wire.url(database_url, cluster.cluster.socket_dir)
    database = Database(primary_pool(settings, url))
    await database.open()
    relay = Relay(database)
    await relay.turn()
    wire.reset()
    await relay.turn()
    assert wire.trips == 1
    await database.close()


async def test_published_events_are_swept_after_24_hours(
    db: Database, relay: Relay, organization: Organization, later: Any
) -> None:
    await write(db, organization.tenant, "run:1", 1, 2)
    await relay.turn()
    await write(db, organization.tenant, "run:1", "unpublished")
    assert await sweep_outbox(await later(timedelta(hours=23))) == 0
    assert await sweep_outbox(await later(timedelta(hours=25))) == 2
    assert (await relay.turn(hinted=True)).published == 1
    assert [event.position for event in await read_after(db, 0)] == [3]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tidings.outbox SET position = 1",
        "DELETE FROM tidings.outbox",
        """INSERT INTO tidings.outbox (organization_id, topic, event, payload, position)
        VALUES (gen_random_uuid(), 'a', 'b', '1', 5)""",
        "SELECT tidings.publish_for_v1(gen_random_uuid(), 'a', 'b', '1')",
        "SELECT * FROM tidings.relay_lease",
    ],
)
async def test_the_app_role_cannot_number_forge_or_delete(
    database_url: str, statement: str
) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute(statement)
