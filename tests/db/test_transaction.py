"""The two doors: what they send, what they keep apart, and what they do when something breaks."""
# ruff: noqa: PT012 - a door opens, works and closes within the block that must fail

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest
import pytest_asyncio
from psycopg.errors import InvalidSqlStatementName, UndefinedColumn
from psycopg_pool import AsyncConnectionPool

from conftest import TestCluster
from tidings.base.errors import (
    DatabaseBusy,
    DatabaseUnavailable,
    InputInvalid,
    RoleForbidden,
    RowMissing,
    StateConflict,
    TenantMissing,
)
from tidings.base.settings import Settings
from tidings.db.connection import Connection
from tidings.db.pools import analytics_pool, primary_pool
from tidings.db.queries import Query
from tidings.db.statement import Command
from tidings.db.transaction import Database

from factories.organizations import Organization
from wire import CountingProxy


def query(text: str) -> Query:
    return Query("of_the_test", "Of the test.", text)


ORGANIZATIONS = query("SELECT id, name FROM tidings.organizations ORDER BY name")
WHO = query(
    "SELECT current_setting('tidings.organization_id', true) AS organization, "
    "current_setting('tidings.user_id', true) AS person, "
    "current_setting('tidings.role', true) AS role"
)
RENAME = query("UPDATE tidings.organizations SET name = %(name)s")
ONE = query("SELECT 1 AS one")
NOTHING = query("SELECT 1 AS one WHERE false")
BROKEN = query("SELECT no_such_column FROM tidings.organizations")
PID = query("SELECT pg_backend_pid() AS pid")
REFUSE = query("SELECT public.refuse(%(state)s)")
SLEEP = query("SELECT pg_sleep(30)")


class Named(msgspec.Struct):
    id: UUID
    name: str


class Sleeper(msgspec.Struct):
    """Waits in the server until somebody lets go of the lock, with nobody watching a clock."""

    url: str

    @asynccontextmanager
    async def holding(self) -> AsyncIterator[Query]:
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(7)")
            yield query("SELECT pg_advisory_xact_lock(7)")


@pytest_asyncio.fixture
async def one(settings: Settings, database_url: str) -> AsyncIterator[Database]:
    """A database of a single connection, so that what one leaves behind the next one meets."""
    single = msgspec_replace(settings, pool_primary_max=1, pool_timeout=30)
    database = Database(primary_pool(single, database_url))
    await database.open()
    yield database
    await database.close()


def msgspec_replace(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update=changes)


@pytest_asyncio.fixture
async def refuse(superuser_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as connection:
        await connection.execute(
            "CREATE FUNCTION public.refuse(state text) RETURNS void LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'It cannot be.' USING ERRCODE = state; END $$"
        )
        await connection.execute("CREATE SEQUENCE public.tries")
        await connection.execute("GRANT USAGE ON SEQUENCE public.tries TO tidings_app")
        # A sequence counts through rollbacks.
        await connection.execute(
            "CREATE FUNCTION public.refuse_first(times bigint, state text) RETURNS bigint "
            "LANGUAGE plpgsql AS $$ DECLARE n bigint := nextval('public.tries'); BEGIN "
            "IF n <= times THEN RAISE EXCEPTION 'Try again.' USING ERRCODE = state; END IF; "
            "RETURN n; END $$"
        )


async def tries(url: str) -> int:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        cursor = await connection.execute("SELECT last_value FROM public.tries")
        row = await cursor.fetchone()
        return row[0] if row else 0


async def end_connections(superuser_url: str) -> int:
    """End every connection of the service and wait until the server has; how many there were."""
    async with await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as connection:
        cursor = await connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE usename = 'tidings_app' AND datname = current_database()"
        )
        return cursor.rowcount


# What the doors answer ----------------------------------------------------------------------------


async def test_a_batch_answers_after_its_end(db: Database, organization: Organization) -> None:
    async with db.tenant_batch(organization.tenant) as batch:
        named = batch.add(ORGANIZATIONS, row=Named)
        plain = batch.add(ORGANIZATIONS)
        number = batch.add(ONE)
        none = batch.add(NOTHING)
        renamed = batch.add(RENAME, {"name": "Quay"})
        with pytest.raises(RuntimeError, match="read before its batch has ended"):
            named.rows  # noqa: B018 - the property raises
    assert named.one() == Named(organization.organization_id, "Harbour & Pine")
    assert plain.rows == [{"id": organization.organization_id, "name": "Harbour & Pine"}]
    assert (number.value(), none.optional(), renamed.count) == (1, None, 1)
    assert plain.optional() is not None
    with pytest.raises(RowMissing):
        none.one()
    with pytest.raises(RowMissing):
        none.value()


async def test_a_transaction_answers_at_once(db: Database, organization: Organization) -> None:
    async with db.tenant_transaction(organization.tenant) as tx:
        assert tx.tenant == organization.tenant
        assert [row.name for row in await tx.fetch(ORGANIZATIONS, row=Named)] == ["Harbour & Pine"]
        assert await tx.execute(RENAME, {"name": "Quay"}) == 1
        assert (await tx.one(ORGANIZATIONS))["name"] == "Quay"
        assert await tx.optional(NOTHING) is None
        assert await tx.value(ONE) == 1
        with pytest.raises(RowMissing):
            await tx.one(NOTHING)
    async with db.tenant_batch(organization.tenant) as batch:
        names = batch.add(ORGANIZATIONS)
    assert names.one()["name"] == "Quay"


async def test_an_empty_batch_and_transaction_send_nothing(
    db: Database, organization: Organization
) -> None:
    async with db.tenant_batch(organization.tenant):
        pass
    async with db.tenant_transaction(organization.tenant):
        pass
    assert db.trips.total == 0


async def test_a_system_transaction_has_no_tenant(db: Database) -> None:
    async with db.system_transaction() as tx:
        assert await tx.value(ONE) == 1
        with pytest.raises(RuntimeError, match="no tenant"):
            tx.tenant  # noqa: B018 - the property raises
    async with db.system_batch() as batch:
        one = batch.add(ONE)
    assert one.value() == 1
    with pytest.raises(TenantMissing):
        async with db.system_batch() as batch:
            batch.add(ORGANIZATIONS)


# Round trips --------------------------------------------------------------------------------------


@pytest_asyncio.fixture
async def counted(
    wire: CountingProxy, cluster: TestCluster, settings: Settings, database_url: str
) -> AsyncIterator[Database]:
    """The database behind the counting proxy, warm."""
    url = wire.url(database_url, cluster.cluster.socket_dir)
    assert url != database_url
    database = Database(primary_pool(msgspec_replace(settings, pool_primary_max=1), url))
    await database.open()
    async with database.system_batch() as batch:
        batch.add(ONE)
    wire.reset()
    yield database
    await database.close()


async def test_a_batch_is_one_round_trip(
    counted: Database, wire: CountingProxy, organization: Organization
) -> None:
    # More often than the driver takes to prepare a statement, because that must not cost one more.
    for _ in range(8):
        wire.reset()
        before = counted.trips.total
        async with counted.tenant_batch(organization.tenant) as batch:
            batch.add(ORGANIZATIONS, row=Named)
            batch.queue(RENAME, {"name": "Quay"})
            batch.add(ONE)
        assert (wire.trips, counted.trips.total - before) == (1, 1)


async def test_reading_then_writing_is_two_round_trips(
    counted: Database, wire: CountingProxy, organization: Organization
) -> None:
    for _ in range(8):
        wire.reset()
        before = counted.trips.total
        async with counted.tenant_transaction(organization.tenant) as tx:
            name = (await tx.one(ORGANIZATIONS))["name"]
            tx.queue(RENAME, {"name": f"{name[:20]}!"})
            tx.queue(RENAME, {"name": f"{name[:20]}?"})
        assert (wire.trips, counted.trips.total - before) == (2, 2)


async def test_queued_writes_alone_are_one_round_trip(
    counted: Database, wire: CountingProxy, organization: Organization
) -> None:
    async with counted.tenant_transaction(organization.tenant) as tx:
        tx.queue(RENAME, {"name": "Quay"})
    assert wire.trips == 1


async def test_nothing_is_sent_behind_the_sync(database_url: str, tmp_path: Path) -> None:
    """A pooler in transaction mode would lend a server for it, and wait for the end of it."""
    sent = tmp_path / "sent"
    async with await Connection.connect(database_url, autocommit=True) as connection:
        with sent.open("wb") as file:
            connection.pgconn.trace(file.fileno())
            connection.pgconn.set_trace_flags(psycopg.pq.Trace.SUPPRESS_TIMESTAMPS)
            await connection.send([Command(b"SELECT 1"), Command(b"SELECT 2")])
            with pytest.raises(UndefinedColumn):
                await connection.send([Command(b"SELECT nothing")])
            connection.pgconn.untrace()
    messages = [line.split()[2] for line in sent.read_text().splitlines() if line[0] == "F"]
    execute = ["Parse", "Bind", "Describe", "Execute"]
    assert messages == [*execute, *execute, "Sync", *execute, "Sync"]


async def test_statements_that_were_deallocated_are_prepared_anew(
    one: Database, organization: Organization
) -> None:
    forget = Query("forget", "Deallocates every statement.", "DEALLOCATE ALL")

    async def read() -> str:
        async with one.tenant_batch(organization.tenant) as batch:
            names = batch.add(ORGANIZATIONS)
        name: str = names.one()["name"]
        return name

    for _ in range(10):
        assert await read() == "Harbour & Pine"
    async with one.system_batch() as batch:
        batch.queue(forget)
    with pytest.raises(InvalidSqlStatementName):
        await read()
    assert await read() == "Harbour & Pine"


async def test_a_value_without_a_form_leaves_the_transaction_as_it_was(
    one: Database, organization: Organization
) -> None:
    async with one.tenant_transaction(organization.tenant) as tx:
        with pytest.raises(psycopg.DataError):
            await tx.execute(RENAME, {"name": "a\0b"})
        await tx.execute(RENAME, {"name": "Quay"})
        assert (await tx.one(WHO))["organization"] == str(organization.organization_id)
    async with one.tenant_batch(organization.tenant) as batch:
        names = batch.add(ORGANIZATIONS)
    assert names.one()["name"] == "Quay"


async def test_places_and_percent_signs_in_statements(one: Database) -> None:
    signs = Query(
        "signs",
        "Takes one value twice, beside a sign.",
        "SELECT %(a)s::text || '%%' || %(b)s::text AS x, %(a)s::text AS y, %(c)b::text[] AS z",
    )
    plain = Query("plain", "Takes no value.", "SELECT 'a%b' AS x")
    async with one.system_batch() as batch:
        found = batch.add(signs, {"a": "1", "b": "2", "c": ["é", None]})
        percent = batch.add(plain)
    assert found.one() == {"x": "1%2", "y": "1", "z": ["é", None]}
    assert percent.value() == "a%b"
    with pytest.raises(ValueError, match="neither"):
        async with one.system_batch() as batch:
            batch.queue(plain, {"a": 1})


async def test_a_rollback_before_anything_was_sent_is_no_round_trip(
    counted: Database, wire: CountingProxy, organization: Organization
) -> None:
    with pytest.raises(StateConflict):
        async with counted.tenant_transaction(organization.tenant):
            raise StateConflict
    assert wire.trips == 0


# Keeping tenants apart ----------------------------------------------------------------------------


async def test_the_tenant_does_not_leak_to_the_next_user(
    one: Database, organization: Organization, other_organization: Organization
) -> None:
    async with one.tenant_batch(organization.tenant) as batch:
        mine = batch.add(ORGANIZATIONS)
    async with one.system_batch() as batch:
        after_batch = batch.add(WHO)
    async with one.tenant_transaction(organization.acting("viewer")) as tx:
        who = await tx.one(WHO)
    async with one.system_batch() as batch:
        after_transaction = batch.add(WHO)
    async with one.tenant_batch(other_organization.tenant) as batch:
        theirs = batch.add(ORGANIZATIONS)
    nobody = {"organization": "", "person": "", "role": ""}
    assert after_batch.one() == after_transaction.one() == nobody
    assert who["role"] == "viewer"
    assert mine.one()["id"] == organization.organization_id
    assert theirs.one()["id"] == other_organization.organization_id


async def test_the_tenant_does_not_leak_after_an_error(
    one: Database, organization: Organization
) -> None:
    with pytest.raises(UndefinedColumn):
        async with one.tenant_batch(organization.tenant) as batch:
            batch.add(BROKEN)
    with pytest.raises(UndefinedColumn):
        async with one.tenant_transaction(organization.tenant) as tx:
            await tx.fetch(BROKEN)
    with pytest.raises(StateConflict):
        async with one.tenant_transaction(organization.tenant) as tx:
            await tx.fetch(ORGANIZATIONS)
            raise StateConflict
    async with one.system_batch() as batch:
        who = batch.add(WHO)
    assert who.one()["organization"] == ""


async def test_many_at_once_each_see_their_own(
    db: Database, organization: Organization, other_organization: Organization
) -> None:
    async def own(one: Organization) -> bool:
        async with db.tenant_batch(one.tenant) as batch:
            rows = batch.add(ORGANIZATIONS)
        return [row["id"] for row in rows.rows] == [one.organization_id]

    both = [organization, other_organization] * 30
    assert all(await asyncio.gather(*map(own, both)))


# Errors -------------------------------------------------------------------------------------------


async def test_an_error_in_a_batch_rolls_all_of_it_back(
    one: Database, organization: Organization
) -> None:
    with pytest.raises(UndefinedColumn):
        async with one.tenant_batch(organization.tenant) as batch:
            batch.queue(RENAME, {"name": "Before"})
            batch.queue(BROKEN)
            batch.queue(RENAME, {"name": "After"})
    async with one.tenant_batch(organization.tenant) as batch:
        names = batch.add(ORGANIZATIONS)
    assert names.one()["name"] == "Harbour & Pine"


@pytest.mark.parametrize("queued", [True, False])
async def test_an_error_in_a_transaction_rolls_all_of_it_back(
    one: Database, organization: Organization, queued: bool
) -> None:
    with pytest.raises(UndefinedColumn):
        async with one.tenant_transaction(organization.tenant) as tx:
            await tx.execute(RENAME, {"name": "Before"})
            if queued:
                tx.queue(BROKEN)
            else:
                await tx.fetch(BROKEN)
    async with one.tenant_batch(organization.tenant) as batch:
        names = batch.add(ORGANIZATIONS)
    assert names.one()["name"] == "Harbour & Pine"


async def test_a_block_that_raises_sends_no_batch(db: Database, organization: Organization) -> None:
    with pytest.raises(StateConflict):
        async with db.tenant_batch(organization.tenant) as batch:
            batch.queue(RENAME, {"name": "Never"})
            raise StateConflict
    assert db.trips.total == 0


@pytest.mark.parametrize(("state", "kind"), [("TD400", InputInvalid), ("TD409", StateConflict)])
async def test_what_our_functions_refuse_is_said_in_their_words(
    db: Database, organization: Organization, refuse: None, state: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind, match=r"It cannot be\."):
        async with db.tenant_batch(organization.tenant) as batch:
            batch.queue(REFUSE, {"state": state})
    with pytest.raises(kind, match=r"It cannot be\."):
        async with db.tenant_transaction(organization.tenant) as tx:
            await tx.fetch(REFUSE, {"state": state})


async def test_what_row_security_refuses_is_forbidden(
    db: Database, organization: Organization
) -> None:
    with pytest.raises(RoleForbidden):
        async with db.tenant_batch(organization.tenant) as batch:
            batch.queue(query("DELETE FROM tidings.organizations"))


# Trying again -------------------------------------------------------------------------------------

REFUSE_FIRST = query("SELECT public.refuse_first(%(times)s, %(state)s) AS tries")


@pytest.mark.parametrize("state", ["40001", "40P01"])
async def test_a_serialization_failure_is_tried_again(
    db: Database, organization: Organization, refuse: None, superuser_url: str, state: str
) -> None:
    async with db.tenant_batch(organization.tenant) as batch:
        batch.queue(RENAME, {"name": "Once more"})
        number = batch.add(REFUSE_FIRST, {"times": 2, "state": state})
    assert number.value() == 3
    assert await tries(superuser_url) == 3


async def test_it_is_not_tried_without_end(
    db: Database, organization: Organization, refuse: None, superuser_url: str
) -> None:
    with pytest.raises(DatabaseBusy, match="Others"):
        async with db.tenant_batch(organization.tenant) as batch:
            batch.add(REFUSE_FIRST, {"times": 99, "state": "40001"})
    assert await tries(superuser_url) == 3


async def test_a_transaction_is_not_tried_again(
    db: Database, organization: Organization, refuse: None, superuser_url: str
) -> None:
    """Its block decided something by what it read: only its author may repeat that."""
    with pytest.raises(DatabaseBusy):
        async with db.tenant_transaction(organization.tenant) as tx:
            await tx.fetch(REFUSE_FIRST, {"times": 1, "state": "40001"})
    assert await tries(superuser_url) == 1


@pytest_asyncio.fixture
async def five(settings: Settings, database_url: str) -> AsyncIterator[Database]:
    """Five open connections."""
    several = msgspec_replace(settings, pool_primary_min=5, pool_primary_max=5)
    pool = primary_pool(several, database_url)
    database = Database(pool)
    await database.open()
    await pool.wait()
    yield database
    await database.close()


async def test_a_lost_connection_is_tried_again_where_the_work_may_run_twice(
    five: Database, organization: Organization, superuser_url: str
) -> None:
    assert await end_connections(superuser_url) == 5
    async with five.tenant_batch(organization.tenant, repeatable=True) as batch:
        names = batch.add(ORGANIZATIONS)
    assert names.one()["id"] == organization.organization_id


async def test_a_lost_connection_is_an_error_where_it_may_not(
    five: Database, organization: Organization, superuser_url: str
) -> None:
    await end_connections(superuser_url)
    with pytest.raises(DatabaseUnavailable) as refused:
        async with five.tenant_batch(organization.tenant) as batch:
            batch.queue(RENAME, {"name": "Perhaps"})
    assert refused.value.retry_after is not None
    # The others broke too, and nobody else is told so.
    async with five.tenant_batch(organization.tenant) as batch:
        names = batch.add(ORGANIZATIONS)
    assert names.one()["name"] == "Harbour & Pine"


async def test_a_transaction_whose_connection_is_lost_ends(
    five: Database, organization: Organization, superuser_url: str
) -> None:
    with pytest.raises(DatabaseUnavailable):
        async with five.tenant_transaction(organization.tenant) as tx:
            await tx.execute(RENAME, {"name": "Never"})
            await end_connections(superuser_url)
            await tx.fetch(ORGANIZATIONS)
    async with five.tenant_batch(organization.tenant) as batch:
        names = batch.add(ORGANIZATIONS)
    assert names.one()["name"] == "Harbour & Pine"


async def test_a_caller_who_leaves_takes_no_connections_along(
    five: Database,
    organization: Organization,
    superuser_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await end_connections(superuser_url)
    looks = asyncio.Event()
    look = AsyncConnectionPool.check_connection

    async def notice(connection: Any) -> None:
        looks.set()
        await look(connection)

    monkeypatch.setattr(five._primary, "check_connection", notice)

    async def ask() -> None:
        async with five.tenant_batch(organization.tenant) as batch:
            batch.add(ORGANIZATIONS)

    leaving = asyncio.create_task(ask())
    await looks.wait()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    async with AsyncExitStack() as held, asyncio.timeout(20):
        for _ in range(5):
            transaction = await held.enter_async_context(
                five.tenant_transaction(organization.tenant)
            )
            assert len(await transaction.fetch(ORGANIZATIONS)) == 1


# The pool -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("repeatable", [True, False])
async def test_a_full_pool_answers_busy_after_one_timeout(
    settings: Settings, database_url: str, organization: Organization, repeatable: bool
) -> None:
    hurried = msgspec_replace(settings, pool_primary_max=1, pool_timeout=0.2)
    pool = primary_pool(hurried, database_url)
    await pool.open(wait=True)
    one = Database(pool)
    async with one.tenant_transaction(organization.tenant) as tx:
        await tx.fetch(ONE)
        with pytest.raises(DatabaseBusy, match="in use") as refused:
            async with one.tenant_batch(organization.tenant, repeatable=repeatable) as batch:
                batch.add(ONE)
        assert refused.value.retry_after == 1
        assert one.pool_stats()["primary"]["requests_errors"] == 1  # waited for once, not again
        with pytest.raises(DatabaseBusy):
            async with one.system_transaction():
                pass
    async with one.tenant_batch(organization.tenant) as batch:
        assert batch.add(ONE) is not None
    await one.close()


async def test_the_connection_given_back_last_is_lent_first(
    settings: Settings, database_url: str
) -> None:
    pool = primary_pool(settings, database_url)
    await pool.open(wait=True)
    first, second = await pool.lend(), await pool.lend()
    await pool.back(second)
    await pool.back(first)
    assert await pool.lend() is first
    # One whose time is over is not kept, nor one that somebody left within a transaction.
    first._expire_at = 0
    await pool.back(first)
    assert first.closed
    assert await pool.lend() is second
    await second.execute("BEGIN")
    await pool.back(second)
    assert second.pgconn.transaction_status == psycopg.pq.TransactionStatus.IDLE
    await pool.close()


async def test_a_closed_pool_answers_unavailable(
    settings: Settings, database_url: str, organization: Organization
) -> None:
    database = Database(
        primary_pool(settings, database_url), analytics_pool(settings, database_url)
    )
    await database.open()
    assert set(database.pool_stats()) == {"primary", "analytics"}
    await database.close()
    with pytest.raises(DatabaseUnavailable):
        async with database.tenant_batch(organization.tenant) as batch:
            batch.add(ONE)


async def wait_until_blocked(superuser_url: str) -> None:
    """Until the service waits for the lock; asks the server, which answers as fast as it can."""
    async with (
        asyncio.timeout(60),
        await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as connection,
    ):
        while True:
            cursor = await connection.execute(
                "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
                "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            if cursor.rowcount:
                return


async def _in_batch(db: Database, organization: Organization, wait: Query) -> None:
    async with db.tenant_batch(organization.tenant) as batch:
        batch.queue(RENAME, {"name": "Cancelled"})
        batch.queue(wait)


async def _in_transaction(db: Database, organization: Organization, wait: Query) -> None:
    async with db.tenant_transaction(organization.tenant) as tx:
        await tx.execute(RENAME, {"name": "Cancelled"})
        await tx.fetch(wait)


@pytest.mark.parametrize("work", [_in_batch, _in_transaction])
async def test_a_cancelled_task_gives_its_connection_back_clean(
    one: Database,
    organization: Organization,
    superuser_url: str,
    work: Callable[[Database, Organization, Query], Awaitable[None]],
) -> None:
    async with Sleeper(superuser_url).holding() as wait:
        task = asyncio.ensure_future(work(one, organization, wait))
        await wait_until_blocked(superuser_url)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with one.system_batch() as batch:
        who = batch.add(WHO)
    assert who.one()["organization"] == ""
    async with one.tenant_batch(organization.tenant) as batch:
        names = batch.add(ORGANIZATIONS)
    assert names.one()["name"] == "Harbour & Pine"


@pytest.mark.parametrize("again", [False, True])
async def test_what_cannot_be_cancelled_closes_the_connection(
    one: Database,
    organization: Organization,
    superuser_url: str,
    monkeypatch: pytest.MonkeyPatch,
    again: bool,
) -> None:
    asked = asyncio.Event()

    async def never(*_: Any, **__: Any) -> None:
        asked.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "cancel_safe", never)
        patch.setattr("tidings.db.connection._PATIENCE", 30.0 if again else 0.05)
        async with Sleeper(superuser_url).holding() as wait:
            task = asyncio.ensure_future(_in_batch(one, organization, wait))
            await wait_until_blocked(superuser_url)
            task.cancel()
            await asked.wait()
            if again:
                task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    async with one.system_batch() as batch:
        who = batch.add(WHO)
    assert not who.one()["organization"]  # another one: nothing was ever set


async def test_a_statement_that_takes_too_long_is_busy(
    one: Database, organization: Organization
) -> None:
    with pytest.raises(DatabaseBusy, match="too long"):
        async with one.tenant_transaction(organization.tenant) as tx:
            await tx.fetch(query("SELECT set_config('statement_timeout', '20', true)"))
            await tx.fetch(SLEEP)


async def test_more_than_a_socket_holds_is_sent_whole(
    db: Database, organization: Organization
) -> None:
    """What a pipeline could not write at once must not wait for an answer that never comes."""
    query = Query("length_of", "Measures a text.", "SELECT length(%(text)s::text) AS length")
    for size in (2**20, 5 * 2**20, 2**20 - 1):
        async with asyncio.timeout(30), db.tenant_batch(organization.tenant) as batch:
            answers = [batch.add(query, {"text": "a" * size}) for _ in range(3)]
        assert [answer.value() for answer in answers] == [size] * 3
