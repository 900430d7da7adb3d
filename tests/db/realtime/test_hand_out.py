"""How the hub hands out: by the burst, the same bytes for all, and nobody in the way of others."""

import asyncio

from db.realtime.test_subscribe import running, take, write
from tidings.base.ids import uuid7
from tidings.db.transaction import Database
from tidings.realtime.broadcast import Broadcasts
from tidings.realtime.burst import Burst
from tidings.realtime.outbox import Event
from tidings.realtime.relay import Relay
from tidings.realtime.subscribe import Hub
from tidings.realtime.topics import any_member

from factories.organizations import Organization

CHECKS = {"run": any_member, "note": any_member, "room": any_member, "access": any_member}


def form(event: Event) -> bytes:
    made.append(event.position)
    return b"%d," % event.position


made: list[int] = []


async def test_an_event_is_encoded_once_and_bursts_are_shared(
    db: Database, organization: Organization
) -> None:
    hub, relay = Hub(db, CHECKS), Relay(db)
    both = ["run:1", "note:1"]
    tenant = organization.tenant
    async with (
        hub.subscribe(tenant, both) as first,
        hub.subscribe(tenant, both) as second,
        hub.subscribe(tenant, ["note:1"]) as third,
    ):
        for subscription in (first, second, third):
            await subscription.settle()
        await write(db, tenant, "note:1", 1, 2)
        await write(db, tenant, "run:1", 3)
        await write(db, tenant, "note:1", 4)
        await relay.turn()
        async with running(hub.run()):
            bursts = [await subscription.take() for subscription in (first, second, third)]
    made.clear()
    joined = [[burst.joined(form) for burst in taken] for taken in bursts]
    assert joined == [[b"1,2,3,4,"], [b"1,2,3,4,"], [b"1,2,4,"]]
    assert bursts[0][0] is bursts[1][0]
    assert sorted(made) == [1, 2, 3, 4]


async def test_a_sink_that_fails_stops_nobody_else(
    db: Database, organization: Organization
) -> None:
    hub, relay = Hub(db, CHECKS), Relay(db)
    tenant = organization.tenant

    def fail(_: Burst) -> None:
        raise ZeroDivisionError

    async with hub.subscribe(tenant, ["run:1"]) as bad, hub.subscribe(tenant, ["run:1"]) as good:
        for subscription in (bad, good):
            await subscription.settle()
        assert bad.pour(fail)
        await write(db, tenant, "run:1", 1)
        await relay.turn()
        async with running(hub.run()):
            assert (await take(good, 1))[0].payload == 1
        assert bad.dropped
        assert bad.position == 0


async def test_rights_are_handed_out_before_what_was_read_with_them(
    db: Database, organization: Organization
) -> None:
    """Whoever loses a right hears nothing that was published after it, were it in one page."""
    hub, relay = Hub(db, CHECKS), Relay(db)
    tenant = organization.tenant
    heard: list[Burst] = []
    async with (
        hub.subscribe(tenant, ["note:1"]) as notes,
        hub.subscribe(tenant, ["access:me"]) as rights,
    ):
        for subscription in (notes, rights):
            await subscription.settle()
        assert notes.pour(heard.append)
        assert rights.pour(lambda _: hub.leave(notes))
        await write(db, tenant, "access:me", "removed")
        await write(db, tenant, "note:1", "secret")
        await relay.turn()
        async with hub.subscribe(tenant, ["run:1"], after=0) as others, running(hub.run()):
            await write(db, tenant, "run:1", "after")
            await relay.turn()
            await take(others, 1)
    assert heard == []


async def test_who_catches_up_does_not_overtake_the_change_of_rights(
    db: Database, organization: Organization
) -> None:
    hub, relay = Hub(db, CHECKS), Relay(db)
    tenant = organization.tenant
    async with (
        hub.subscribe(tenant, ["access:me"]) as rights,
        hub.subscribe(tenant, ["note:1"], after=0) as notes,
    ):
        await rights.settle()
        assert rights.pour(lambda _: hub.leave(notes))
        await write(db, tenant, "note:1", "before")
        await relay.turn()
        await hub._read_on()
        await write(db, tenant, "access:me", "removed")
        await write(db, tenant, "note:1", "secret")
        await relay.turn()
        assert [event.payload for burst in await notes.take() for event in burst.events] == [
            "before"
        ]
        async with running(hub.run()), asyncio.timeout(20):
            assert await notes.take() == []


async def test_what_was_left_is_not_caught_up_with(
    db: Database, organization: Organization
) -> None:
    hub, relay = Hub(db, CHECKS), Relay(db)
    tenant = organization.tenant
    async with hub.subscribe(tenant, ["run:1", "note:1"], after=0) as events:
        await write(db, tenant, "note:1", 1)
        await relay.turn()
        await hub._read_on()
        hub.leave(events, "note:1")
        async with asyncio.timeout(20):
            await events.settle()
        assert events.pour(lambda _: None)


async def test_the_hub_does_not_read_what_one_subscriber_missed(
    db: Database, organization: Organization, other_organization: Organization
) -> None:
    hub, relay = Hub(db, CHECKS), Relay(db)
    await write(db, other_organization.tenant, "run:1", 1, 2, 3)
    await write(db, organization.tenant, "run:1", 4)
    await relay.turn()
    async with hub.subscribe(organization.tenant, ["run:1"], after=0) as events:
        assert hub._position == 4
        assert [event.payload for event in await take(events, 1)] == [4]


async def test_what_a_commit_brings_along_is_handed_out_once(
    db: Database, organization: Organization
) -> None:
    """The hub reads by itself all the time meanwhile, and is overtaken, or overtakes."""
    hub = Hub(db, CHECKS, poll=0.001)
    relay = Relay(db, hub=hub)
    broadcasts = Broadcasts(db, relay)
    tenant = organization.tenant
    total = 300
    async with (
        running(hub.run(), relay.run()),
        hub.subscribe(tenant, ["room:a"]) as events,
        asyncio.timeout(60),
    ):
        for start in range(0, total, 10):
            sending = [
                broadcasts.send(tenant, "room:a", "n", b"%d" % n) for n in range(start, start + 10)
            ]
            await asyncio.gather(*sending)
        found = await take(events, total)
    assert [event.payload for event in found] == list(range(total))
    assert [event.position for event in found] == list(range(1, total + 1))


async def test_a_hub_without_subscribers_reads_nothing_along(
    db: Database, organization: Organization
) -> None:
    hub = Hub(db, CHECKS)
    broadcasts = Broadcasts(db, Relay(db, hub=hub))
    await broadcasts.send(organization.tenant, "room:a", "n", b"1")
    assert hub.subscriptions == 0
    async with hub.subscribe(organization.tenant, ["room:a"], after=0) as events:
        assert (await take(events, 1))[0].payload == 1


async def test_leaving_one_topic_of_several(db: Database, organization: Organization) -> None:
    hub, relay = Hub(db, CHECKS), Relay(db)
    tenant = organization.tenant
    async with hub.subscribe(tenant, ["run:1", "note:1"]) as events, running(hub.run()):
        hub.leave(events, "run:1")
        await write(db, tenant, "run:1", "unheard")
        await write(db, tenant, "note:1", "heard")
        await relay.turn()
        assert (await take(events, 1))[0].payload == "heard"
        hub.leave(events, "note:1")
        assert events.ended
        assert not events.pour(lambda _: None)
        assert await events.take() == []


async def test_signals_are_not_for_those_who_are_behind(
    db: Database, organization: Organization
) -> None:
    hub = Hub(db, CHECKS, queue=2)
    tenant = organization.tenant
    signal = Event(tenant.organization_id, uuid7(), "run:1", "s", None, None, 0)  # type: ignore[arg-type]
    async with hub.subscribe(tenant, ["run:1"], after=0) as events:
        hub.signal(signal)
        await events.settle()
        for _ in range(3):
            hub.signal(signal)  # the third finds the queue full, and is lost alone
        assert len(await take(events, 2)) == 2
        assert events.waiting == 0
        assert not events.dropped
