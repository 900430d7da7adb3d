"""Presence by the row: leases, and whose rows they are."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from db.realtime.test_subscribe import running, take
from tidings.base.errors import InputInvalid
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.db.queries import Query
from tidings.db.transaction import Batch, Database
from tidings.realtime.outbox import sql
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
        now = await later(timedelta(seconds=15))
        assert await Presences(now).renew() == 0
        alive_then = Presences(now)
        alive_then._node, alive_then._held = alive._node, alive._held
        assert await alive_then.renew() == 1
        end = await later(timedelta(seconds=31))
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


class Held:
    """A database that is reached only once it `opens`."""

    def __init__(self, db: Database) -> None:
        self.db, self.opens, self.asked = db, asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def tenant_batch(self, tenant: Tenant, **options: Any) -> AsyncIterator[Batch]:
        async with self.db.tenant_batch(tenant, **options) as batch:
            yield batch
            self.asked.set()
            await self.opens.wait()


async def test_what_could_not_be_hidden_is_not_renewed(
    db: Database, later: Later, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    presences, connection = Presences(db), uuid7()
    tenant = organization.tenant
    for topic in (ROOM, "room:b"):
        await presences.show(tenant, topic, connection, 1)
    with monkeypatch.context() as broken:
        broken.setattr(sql, "hide_presence", Query("divide", "Divides by zero.", "SELECT 1 / 0"))
        with pytest.raises(psycopg.errors.DivisionByZero):
            await presences.hide(tenant, connection, [ROOM])
    presences._database = await later(timedelta(seconds=15))
    assert await presences.renew() == 1
    end = Presences(await later(timedelta(seconds=31)))
    await end.renew()
    assert await end.who(tenant, ROOM) == []
    assert len(await end.who(tenant, "room:b")) == 1


async def test_who_comes_while_they_go_is_not_renewed(
    db: Database, organization: Organization
) -> None:
    """The connection ends while it comes into a room, and is hidden before it is shown."""
    presences, connection = Presences(db), uuid7()
    slow = Held(db)
    presences._database = slow  # type: ignore[assignment]
    showing = asyncio.create_task(presences.show(organization.tenant, ROOM, connection, 1))
    await slow.asked.wait()
    presences._database = db
    presences.hide_soon(organization.tenant, connection)
    await asyncio.gather(*presences._leaving)
    slow.opens.set()
    await showing
    assert len(await presences.who(organization.tenant, ROOM)) == 1
    assert await presences.renew() == 0


async def test_what_was_never_shown_is_not_renewed(
    db: Database, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    presences, connection = Presences(db), uuid7()
    await presences.show(organization.tenant, ROOM, connection, 1)
    monkeypatch.setattr(sql, "show_presence", Query("divide", "Divides by zero.", "SELECT 1 / 0"))
    for topic in (ROOM, "room:b"):
        with pytest.raises(psycopg.errors.DivisionByZero):
            await presences.show(organization.tenant, topic, connection, 2)
    assert {key: held.state for key, held in presences._held.items()} == {(connection, ROOM): "1"}


async def test_who_could_not_be_renewed_in_time_comes_back(
    db: Database,
    later: Later,
    organization: Organization,
    other_organization: Organization,
    superuser_url: str,
) -> None:
    """Whoever reaches the database first removes the others', who are there all the same."""
    presences, here, gone = Presences(db), uuid7(), uuid7()
    await presences.show(other_organization.tenant, ROOM, gone, 1)
    await presences.show(organization.tenant, ROOM, here, {"n": 1})
    end = await later(timedelta(seconds=40))
    await Presences(end).renew()
    assert await Presences(end).who(organization.tenant, ROOM) == []
    async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
        await connection.execute(
            "DELETE FROM tidings.organizations WHERE id = %s", [other_organization.organization_id]
        )
    presences._database = end
    assert await presences.renew() == 0
    assert [one.state for one in await presences.who(organization.tenant, ROOM)] == [{"n": 1}]
    assert await presences.renew() == 1


async def test_showing_the_same_again_tells_nobody(
    db: Database, relay: Relay, organization: Organization
) -> None:
    presences, connection = Presences(db), uuid7()
    for state in (1, 1, 2):
        await presences.show(organization.tenant, ROOM, connection, state)
    assert (await relay.turn()).published == 2


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
