"""Reads of the outbox take what they are about, in a table full of other events."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from db.realtime.test_subscribe import write
from db.scans import scans
from tidings.db.transaction import Database
from tidings.realtime.outbox import sql
from tidings.realtime.relay import Relay

from factories.organizations import Organization

pytestmark = pytest.mark.new_database

EVENTS = 20_000


@pytest.fixture
async def crowded(superuser_url: str, organization: Organization) -> int:
    """Many published events of ten topics."""
    async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
        await connection.execute(
            "INSERT INTO tidings.outbox (organization_id, topic, event, payload, position, "
            "published_at) SELECT %s, 'run:' || n %% 10, 'n', '{}', n, tidings.now() "
            "FROM generate_series(1, %s) AS n",
            [organization.organization_id, EVENTS],
        )
        await connection.execute("UPDATE tidings.relay_lease SET last_position = %s", [EVENTS])
        await connection.execute("ALTER TABLE tidings.outbox SET (autovacuum_enabled = off)")
        await connection.execute("ANALYZE tidings.outbox")
    return EVENTS


async def used(database_url: str, settings: str, query: str, params: Any) -> dict[str, int]:
    """The rows that one statement, as the service runs it, read of each index and of the table."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await connection.execute(settings)
        before = await scans(connection, "tidings.outbox")
        await connection.execute(query, params)
        after = await scans(connection, "tidings.outbox")
        await connection.rollback()
    return {name: after[name][1] - before[name][1] for name in after if after[name] != before[name]}


async def test_the_hub_reads_from_its_position_on(crowded: int, database_url: str) -> None:
    params = {"after": crowded - 20, "max": 10}
    read = await used(database_url, "SELECT 1", sql.events_after.sql, params)
    assert set(read) == {"outbox_position"}
    assert read["outbox_position"] <= 11


async def test_the_bounds_cost_a_look(crowded: int, database_url: str) -> None:
    read = await used(database_url, "SELECT 1", sql.outbox_bounds.sql, None)
    assert set(read) == {"outbox_position"}
    assert read["outbox_position"] <= 2


async def test_a_subscriber_reads_its_topics_alone(
    crowded: int, database_url: str, organization: Organization
) -> None:
    who = (
        f"SELECT set_config('tidings.organization_id', '{organization.organization_id}', true),"
        f" set_config('tidings.user_id', '{organization.user_id}', true),"
        " set_config('tidings.role', 'owner', true)"
    )
    for after in (0, crowded // 2, crowded - 200):
        params = {"topics": ["run:1", "run:none"], "after": after, "max": 10, "bytes": 1_000_000}
        read = await used(database_url, who, sql.topic_events_after.sql, params)
        assert set(read) == {"outbox_topic"}
        assert read["outbox_topic"] <= 11


async def test_a_turn_of_the_relay_reads_what_is_due(
    crowded: int, db: Database, database_url: str, organization: Organization
) -> None:
    await write(db, organization.tenant, "run:1", *range(5))
    params = {"worker": "w1", "max": 1000, "lease": timedelta(seconds=5), "hinted": False}
    read = await used(database_url, "SELECT 1", sql.relay.sql, params)
    assert "table" not in read
    assert 5 <= read["outbox_unpublished"] <= 10
    assert (await Relay(db).turn()).published == 5
