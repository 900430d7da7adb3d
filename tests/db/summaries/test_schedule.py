"""Digests by themselves: once per person and local date, whatever clocks and zones do."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from tidings.base import clock
from tidings.base.errors import InputInvalid
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.base.zones import zone_of
from tidings.db.queries import Query
from tidings.db.transaction import Database
from tidings.summaries.ask import Question, day_in
from tidings.summaries.schedule import (
    HOUR,
    DigestSchedule,
    read_schedule,
    set_schedule,
    start_due_digests,
)
from tidings.summaries.write import whole_day

from factories.channels import add_messages, make_channel
from factories.later import later_databases
from factories.organizations import Organization, add_member

LOOK = "SELECT * FROM tidings.start_due_digests_v1('summaries.write', 6, '10 minutes', 500)"
JOIN = Query(
    "join_channel",
    "Joins.",
    "INSERT INTO tidings.channel_members (organization_id, channel_id, user_id) VALUES "
    "(tidings.current_organization(), %(channel_id)s, %(user_id)s)",
)


def look(url: str, at: datetime) -> int:
    """The schedule's look at a moment; how many digests it started."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        connection.execute(
            "SELECT set_config('tidings.clock_shift', (%s::timestamptz - now())::text, false)", [at]
        )
        row = connection.execute(LOOK).fetchone()
    assert row is not None
    return int(row["started"])


def started(url: str) -> list[tuple[UUID, str, str]]:
    """The digests that were started: whose, of which date, in which zone."""
    with psycopg.connect(url) as connection:
        found: list[Any] = connection.execute(
            "SELECT r.created_by, j.args -> 'question' ->> 'local_date', "
            "j.args -> 'question' ->> 'timezone' FROM tidings.runs AS r JOIN tidings.jobs AS j "
            "ON j.id = r.job_id WHERE r.kind = 'summaries.write' ORDER BY r.id"
        ).fetchall()
    return found


async def written(db: Database, tenant: Tenant, *at: datetime) -> UUID:
    """A channel of the tenant's with a message at each of the times."""
    channel_id = await make_channel(db, tenant)
    for moment in at:
        await add_messages(db, tenant, channel_id, [("Ana", "Hello")], start=moment)
    return channel_id


async def live_in(db: Database, tenant: Tenant, zone: str, hour: int | None = HOUR) -> None:
    await set_schedule(db, tenant, DigestSchedule(hour, zone))


async def test_each_has_theirs_when_their_morning_comes(
    db: Database, organization: Organization, superuser_url: str
) -> None:
    owner = organization.tenant
    colleague = await add_member(superuser_url, organization, "viewer")
    without = await add_member(superuser_url, organization, "member")
    channel_id = await written(db, owner, datetime(2026, 3, 2, 12, tzinfo=UTC))
    async with db.tenant_transaction(owner) as transaction:
        transaction.queue(JOIN, {"channel_id": channel_id, "user_id": colleague.user_id})
    await live_in(db, owner, "Europe/Oslo")
    await live_in(db, colleague, "America/New_York", 8)
    await live_in(db, without, "Europe/Oslo")
    assert look(superuser_url, datetime(2026, 3, 3, 4, 59, tzinfo=UTC)) == 0  # 5:59 in Oslo
    assert look(superuser_url, datetime(2026, 3, 3, 5, tzinfo=UTC)) == 1
    assert look(superuser_url, datetime(2026, 3, 3, 5, 5, tzinfo=UTC)) == 0
    assert look(superuser_url, datetime(2026, 3, 3, 13, tzinfo=UTC)) == 1  # 8:00 in New York
    assert look(superuser_url, datetime(2026, 3, 4, 23, tzinfo=UTC)) == 0  # nobody wrote on the 3rd
    assert started(superuser_url) == [
        (owner.user_id, "2026-03-02", "Europe/Oslo"),
        (colleague.user_id, "2026-03-02", "America/New_York"),
    ]


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Europe/Oslo", date(2026, 3, 29)), ("Europe/Oslo", date(2026, 10, 25))],
)
async def test_a_day_on_which_clocks_change_has_one_digest(
    db: Database, organization: Organization, superuser_url: str, zone: str, day: date
) -> None:
    owner = organization.tenant
    begins, ends = day_in(zone_of(zone), day)
    await written(db, owner, begins, ends - timedelta(seconds=1))
    await live_in(db, owner, zone, 2)  # an hour that is left out, or comes twice
    made = sum(look(superuser_url, begins + timedelta(minutes=30 * n)) for n in range(44, 60))
    assert made == 1
    ((_, said, of),) = started(superuser_url)
    question = whole_day(Question(type="daily_digest", local_date=day, timezone=of))
    assert (said, question.from_at, question.until_at) == (day.isoformat(), begins, ends)


async def test_who_moves_gets_no_date_twice(
    db: Database, organization: Organization, superuser_url: str
) -> None:
    owner = organization.tenant
    hours = [datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(0, 96, 3)]
    await written(db, owner, *hours)
    await live_in(db, owner, "Pacific/Auckland")
    # There it is the 3rd already: of the 2nd.
    assert look(superuser_url, datetime(2026, 3, 2, 17, tzinfo=UTC)) == 1
    await live_in(db, owner, "America/Los_Angeles")
    assert look(superuser_url, datetime(2026, 3, 2, 18, tzinfo=UTC)) == 0  # of the 1st: too old
    assert look(superuser_url, datetime(2026, 3, 3, 15, tzinfo=UTC)) == 0  # of the 2nd again
    assert look(superuser_url, datetime(2026, 3, 4, 15, tzinfo=UTC)) == 1
    await live_in(db, owner, "Pacific/Auckland")
    # While nobody looked a day went by: only the newest is made.
    assert look(superuser_url, datetime(2026, 3, 5, 17, tzinfo=UTC)) == 1
    assert [day for _, day, _ in started(superuser_url)] == [
        "2026-03-02",
        "2026-03-03",
        "2026-03-05",
    ]


async def test_who_wants_none_has_none(
    db: Database, organization: Organization, superuser_url: str
) -> None:
    owner = organization.tenant
    await written(db, owner, datetime(2026, 3, 2, 12, tzinfo=UTC))
    await live_in(db, owner, "UTC", None)
    assert look(superuser_url, datetime(2026, 3, 3, 9, tzinfo=UTC)) == 0
    await live_in(db, owner, "UTC", HOUR)
    with psycopg.connect(superuser_url) as connection:
        connection.execute("UPDATE tidings.organizations SET ai_mode = 'off'")
    assert look(superuser_url, datetime(2026, 3, 3, 9, tzinfo=UTC)) == 0
    with psycopg.connect(superuser_url) as connection:
        connection.execute("UPDATE tidings.organizations SET ai_mode = 'local'")
        connection.execute("UPDATE tidings.users SET disabled_at = now()")
    assert look(superuser_url, datetime(2026, 3, 3, 9, tzinfo=UTC)) == 0


async def test_a_zone_that_the_server_does_not_know_stops_nobody(
    db: Database, organization: Organization, superuser_url: str
) -> None:
    owner = organization.tenant
    colleague = await add_member(superuser_url, organization, "member")
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    for tenant in (owner, colleague):
        await written(db, tenant, at)
    with psycopg.connect(superuser_url) as connection:
        connection.execute(
            "UPDATE tidings.users SET time_zone = 'Mars/Olympus' WHERE id = %s", [owner.user_id]
        )
    assert look(superuser_url, at + timedelta(days=1)) == 1
    assert [who for who, _, _ in started(superuser_url)] == [colleague.user_id]


async def test_two_looks_at_once_start_it_once(
    db: Database, organization: Organization, settings: Settings, database_url: str
) -> None:
    owner = organization.tenant
    await live_in(db, owner, "UTC", 0)
    today = clock.now().replace(hour=12)
    await written(db, owner, today)
    async with later_databases(settings, database_url) as later:
        tomorrow = await later(today + timedelta(days=1) - clock.now())  # at noon
        counts = await asyncio.gather(*(start_due_digests(tomorrow) for _ in range(4)))
    assert sum(counts) == 1
    assert (await read_schedule(db, owner)).digested_on == today.date()


async def test_the_schedule_is_ones_own(db: Database, organization: Organization) -> None:
    owner = organization.tenant
    assert await read_schedule(db, owner) == DigestSchedule(HOUR, "UTC")
    with pytest.raises(InputInvalid):
        await live_in(db, owner, "Mars/Olympus")
    await live_in(db, owner, "Asia/Kolkata", 0)
    assert await read_schedule(db, owner) == DigestSchedule(0, "Asia/Kolkata")
