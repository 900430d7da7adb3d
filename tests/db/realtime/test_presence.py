"""Presence by the row: leases, and whose rows they are."""

from datetime import timedelta

import pytest

from db.realtime.test_subscribe import running, take
from tidings.base.errors import InputInvalid
from tidings.base.ids import uuid7
from tidings.db.transaction import Database
from tidings.realtime.presence import Presences
from tidings.realtime.relay import Relay
from tidings.realtime.subscribe import Hub
from tidings.realtime.topics import any_member

from factories.later import Later
from factories.organizations import Organization

ROOM = "room:a"


async def test_who_is_not_renewed_has_gone(
    db: Database, later: Later, relay: Relay, organization: Organization
) -> None:
    dead, alive = Presences(db), Presences(db)
    gone, here = uuid7(), uuid7()
    hub = Hub(db, {"room": any_member}, poll=0.01)
    async with (
        running(hub.run()),
        hub.subscribe(organization.tenant, [ROOM]) as events,
    ):
        await dead.show(organization.tenant, ROOM, gone, "gone")
        await alive.show(organization.tenant, ROOM, here, {"n": 1})
        now = await later(timedelta(seconds=25))
        assert await Presences(now).renew() == 0
        alive_then = Presences(now)
        alive_then._node = alive._node
        assert await alive_then.renew() == 1
        end = await later(timedelta(seconds=40))
        assert [one.id for one in await Presences(end).who(organization.tenant, ROOM)] == [here]
        await Presences(end).renew()
        await relay.turn()
        told = await take(events, 3)
    assert [(e.payload["op"], e.payload["id"]) for e in told] == [
        ("join", str(gone)),
        ("join", str(here)),
        ("leave", str(gone)),
    ]


async def test_nobody_moves_somebody_else(
    db: Database, organization: Organization, other_organization: Organization
) -> None:
    presences = Presences(db)
    connection = uuid7()
    await presences.show(organization.tenant, ROOM, connection, 1)
    await presences.show(other_organization.tenant, ROOM, connection, 2)
    await presences.hide(other_organization.tenant, connection)
    assert [one.state for one in await presences.who(organization.tenant, ROOM)] == [1]
    assert await presences.who(other_organization.tenant, ROOM) == []


async def test_a_room_with_too_long_a_name_is_refused(
    db: Database, organization: Organization
) -> None:
    with pytest.raises(InputInvalid):
        await Presences(db).show(organization.tenant, "room:" + "é" * 255, uuid7(), 1)


async def test_showing_again_changes_the_state_alone(
    db: Database, organization: Organization
) -> None:
    presences = Presences(db)
    connection = uuid7()
    await presences.show(organization.tenant, ROOM, connection, 1)
    (before,) = await presences.who(organization.tenant, ROOM)
    await presences.show(organization.tenant, ROOM, connection, 2)
    (after,) = await presences.who(organization.tenant, ROOM)
    assert (after.since, after.state) == (before.since, 2)
