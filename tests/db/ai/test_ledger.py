"""The usage ledger and its table."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import msgspec
import psycopg
import pytest

from tidings.ai.ledger import MOST_WAITING, Ledger, TokenUse, run_token_uses
from tidings.base.ids import uuid7
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.db.pools import primary_pool
from tidings.db.transaction import Database

from factories.organizations import Organization

RUN = uuid7()


def use(**changes: object) -> TokenUse:
    row = TokenUse(
        id=uuid7(),
        run_id=RUN,
        operation="engagement.read_meeting",
        engine="openai:gpt-4o-mini",
        provider="openai",
        model="gpt-4o-mini",
        prompt_version="0123456789ab",
        prompt_tokens=1000,
        completion_tokens=100,
        cached_tokens=400,
        estimated=False,
        cost=Decimal("0.000126"),
        latency_ms=812,
        status="ok",
        error=None,
        created_at=datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
    )
    return msgspec.structs.replace(row, **changes)


class Stuck:
    """A batch that never ends."""

    async def __aenter__(self) -> None:
        await asyncio.Event().wait()

    async def __aexit__(self, *_: object) -> None: ...


@pytest.fixture
def ledger(db: Database) -> Ledger:
    return Ledger(db)


async def test_a_row_comes_back_as_it_was_written(
    db: Database, ledger: Ledger, organization: Organization
) -> None:
    rows = [
        use(),
        use(status="error", error="500 Internal Server Error", cost=Decimal("0.000000")),
        use(status="invalid", error="Not JSON.", estimated=True, cost=Decimal("12345678.123456")),
    ]
    for row in rows:
        await ledger.record(organization.tenant, row)
    await ledger.record(organization.tenant, use(run_id=None))
    assert await run_token_uses(db, organization.tenant, RUN) == rows
    assert ledger.waiting == 0


async def test_a_repeated_row_is_one_row(
    db: Database, ledger: Ledger, organization: Organization
) -> None:
    row = use()
    await ledger.record(organization.tenant, row)
    await ledger.record(organization.tenant, row)
    assert await run_token_uses(db, organization.tenant, RUN) == [row]


async def test_a_row_takes_one_round_trip(
    db: Database, ledger: Ledger, organization: Organization
) -> None:
    before = db.trips.total
    await ledger.record(organization.tenant, use())
    assert db.trips.total - before == 1


async def test_members_read_their_own_organization_alone(
    db: Database, ledger: Ledger, organization: Organization, other_organization: Organization
) -> None:
    await ledger.record(organization.tenant, use())
    for role in ("owner", "admin", "member", "viewer", "service"):
        assert len(await run_token_uses(db, organization.acting(role), RUN)) == 1
        assert await run_token_uses(db, other_organization.acting(role), RUN) == []


def as_app(database_url: str, tenant: Tenant, statement: str) -> int:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "SELECT set_config('tidings.organization_id', %s, true), "
            "set_config('tidings.user_id', %s, true), set_config('tidings.role', %s, true)",
            [str(tenant.organization_id), str(tenant.user_id), tenant.role],
        )
        return connection.execute(statement).rowcount


INSERT = """
    INSERT INTO tidings.token_usage (
        organization_id, id, operation, engine, provider, model, prompt_version, prompt_tokens,
        completion_tokens, cached_tokens, estimated, cost, latency_ms, status, error)
    VALUES ('{organization}', gen_random_uuid(), 'a.b', 'openai:x', 'openai', 'x', '0123456789ab',
        {prompt}, 1, {cached}, false, {cost}, 1, {status}, {error})
"""


def insertion(organization_id: UUID, **changes: object) -> str:
    values = {"prompt": 10, "cached": 0, "cost": 1, "status": "'ok'", "error": "NULL"}
    return INSERT.format(organization=organization_id, **{**values, **changes})


async def test_services_append_and_nobody_else(
    database_url: str, organization: Organization, other_organization: Organization
) -> None:
    own = insertion(organization.organization_id)
    assert as_app(database_url, organization.acting("service"), own) == 1
    for role in ("owner", "admin", "member", "viewer"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_app(database_url, organization.acting(role), own)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_app(database_url, other_organization.acting("service"), own)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tidings.token_usage SET cost = 0",
        "DELETE FROM tidings.token_usage",
        "TRUNCATE tidings.token_usage",
    ],
)
async def test_nobody_changes_the_ledger(
    database_url: str, ledger: Ledger, organization: Organization, statement: str
) -> None:
    await ledger.record(organization.tenant, use())
    for role in ("owner", "service"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_app(database_url, organization.acting(role), statement)


@pytest.mark.parametrize(
    "changes",
    [
        {"cost": "-0.000001"},
        {"prompt": -1},
        {"cached": 11},
        {"status": "'paid'"},
        {"error": "'what?'"},
        {"status": "'error'"},
        {"status": "'error'", "error": "''"},
        {"status": "'error'", "error": "repeat('x', 501)"},
    ],
)
async def test_the_table_refuses_what_cannot_be(
    database_url: str, organization: Organization, changes: dict[str, str]
) -> None:
    statement = insertion(organization.organization_id, **changes)
    with pytest.raises(psycopg.errors.CheckViolation):
        as_app(database_url, organization.acting("service"), statement)


async def test_rows_wait_while_the_database_is_away_and_come_with_the_next(
    db: Database,
    settings: Settings,
    database_url: str,
    organization: Organization,
    other_organization: Organization,
    caplog: pytest.LogCaptureFixture,
) -> None:
    away = Database(primary_pool(settings, database_url))  # never opened
    ledger = Ledger(away)
    first, second, third = use(), use(), use()
    await ledger.record(organization.tenant, first)
    await ledger.record(other_organization.tenant, second)
    assert ledger.waiting == 2
    assert "rows of the usage ledger wait" in caplog.text
    ledger._db = db
    await ledger.record(organization.tenant, third)
    assert ledger.waiting == 0
    assert await run_token_uses(db, organization.tenant, RUN) == [first, third]
    assert await run_token_uses(db, other_organization.tenant, RUN) == [second]


async def test_a_row_the_database_refuses_is_logged_and_does_not_hold_up_the_others(
    db: Database, ledger: Ledger, organization: Organization, caplog: pytest.LogCaptureFixture
) -> None:
    refused, good = use(operation="not an operation"), use()
    ledger.defer(organization.tenant, refused)
    ledger.defer(organization.tenant, good)
    await ledger.flush()
    assert ledger.waiting == 0
    assert await run_token_uses(db, organization.tenant, RUN) == [good]
    assert str(refused.id) in caplog.text
    assert str(good.id) not in caplog.text


async def test_a_row_whose_writer_is_cancelled_waits(
    db: Database, ledger: Ledger, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = asyncio.Event()

    def stuck(*_: object, **__: object) -> Stuck:
        reached.set()
        return Stuck()

    with monkeypatch.context() as patch:
        patch.setattr(db, "tenant_batch", stuck)
        writing = asyncio.create_task(ledger.record(organization.tenant, use()))
        await reached.wait()
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
    assert ledger.waiting == 1
    await ledger.flush()
    assert len(await run_token_uses(db, organization.tenant, RUN)) == 1


async def test_what_waits_is_bounded_and_what_is_lost_is_logged(
    ledger: Ledger, organization: Organization, caplog: pytest.LogCaptureFixture
) -> None:
    row = use()
    ledger.defer(organization.tenant, row)
    for _ in range(MOST_WAITING):
        ledger.defer(organization.tenant, row)
    assert ledger.waiting == MOST_WAITING
    assert caplog.text.count(str(row.id)) == 1


async def test_cancelling_a_flush_loses_no_paid_row(
    db: Database,
    ledger: Ledger,
    organization: Organization,
    other_organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Cancelled at the first group, at the second, and while rows are tried one by one."""
    rows = [use() for _ in range(3)]
    theirs, refused = use(), use(operation="not an operation")
    for row in [*rows, refused]:
        ledger.defer(organization.tenant, row)
    ledger.defer(other_organization.tenant, theirs)
    batch = db.tenant_batch
    for stop_at in range(1, 7):
        reached = asyncio.Event()
        calls = 0

        def stopping(
            *given: object, at: int = stop_at, reached: asyncio.Event = reached, **named: object
        ) -> object:
            nonlocal calls
            calls += 1
            if calls < at:
                return batch(*given, **named)
            reached.set()
            return Stuck()

        with monkeypatch.context() as patch:
            patch.setattr(db, "tenant_batch", stopping)
            flushing = asyncio.create_task(ledger.flush())
            stuck = asyncio.create_task(reached.wait())
            await asyncio.wait([flushing, stuck], return_when=asyncio.FIRST_COMPLETED)
            stuck.cancel()
            flushing.cancel()
            await asyncio.gather(flushing, stuck, return_exceptions=True)
    await ledger.flush()
    assert ledger.waiting == 0
    found = await run_token_uses(db, organization.tenant, RUN)
    assert {row.id for row in found} == {row.id for row in rows}
    assert await run_token_uses(db, other_organization.tenant, RUN) == [theirs]


async def test_two_flushes_at_once_write_each_row_once(
    db: Database, ledger: Ledger, organization: Organization
) -> None:
    before = db.trips.total
    await asyncio.gather(*(ledger.record(organization.tenant, use()) for _ in range(5)))
    assert ledger.waiting == 0
    assert db.trips.total - before <= 5
    assert len(await run_token_uses(db, organization.tenant, RUN)) == 5


def test_runs_and_listings_are_found_by_their_index(
    superuser_url: str, organization: Organization
) -> None:
    mine = organization.organization_id
    listing = f"SELECT * FROM tidings.token_usage WHERE organization_id = '{mine}'"
    with psycopg.connect(superuser_url) as connection:
        connection.execute(
            insertion(mine).split("VALUES")[0]
            + f"SELECT '{mine}', gen_random_uuid(), 'a.b', 'openai:x', 'openai', 'x', "
            "'0123456789ab', 1, 1, 0, false, 1, 1, 'ok', NULL FROM generate_series(1, 3000)"
        )
        connection.execute(
            "UPDATE tidings.token_usage SET run_id = gen_random_uuid(), "
            "created_at = created_at - random() * interval '90 days'"
        )
        connection.execute("ANALYZE tidings.token_usage")
        by_run = connection.execute(f"EXPLAIN {listing} AND run_id = '{RUN}' ORDER BY id")
        told = str(by_run.fetchall())
        assert "token_usage_by_run" in told
        newest = connection.execute(f"EXPLAIN {listing} ORDER BY created_at DESC, id DESC LIMIT 50")
        told = str(newest.fetchall())
    assert "token_usage_by_time" in told
    assert "Sort" not in told
