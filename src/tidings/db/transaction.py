"""The doors to the database.

`tenant_batch` queues statements and sends them in one pipeline behind the tenant's settings: one
round trip, one implicit transaction that ends at the pipeline's only sync. `tenant_transaction` is
for reading, deciding, then writing: BEGIN and the tenant's settings ride with the first statement,
queued writes ride with the COMMIT. `system_transaction` and `system_batch` have no tenant, so row
security shows them nothing; they reach rows only through the SECURITY DEFINER functions of
`tidings_system`.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, TypeVar, overload

from tidings.base.tenant import Tenant
from tidings.db.connection import Connection
from tidings.db.failures import REPEATABLE, is_lost_connection, translate
from tidings.db.pools import Pool
from tidings.db.queries import Query
from tidings.db.statement import (
    Command,
    Pending,
    Row,
    Statement,
    Statements,
    only,
    value_of,
)

__all__ = ["Batch", "Database", "Pending", "RoundTrips", "Row", "Statements", "Transaction"]

T = TypeVar("T")

_TRIES = 3
_BEGIN, _COMMIT = Command(b"BEGIN"), Command(b"COMMIT")
# Local to the transaction: a pooler in transaction mode keeps nothing of a session.
_SET_TIMEOUT = b"SELECT pg_catalog.set_config('statement_timeout', $1, true)"
_SET_TENANT = (
    _SET_TIMEOUT + b", pg_catalog.set_config('tidings.organization_id', $2, true), "
    b"pg_catalog.set_config('tidings.user_id', $3, true), "
    b"pg_catalog.set_config('tidings.role', $4, true)"
)


class RoundTrips:
    """Counts the syncs this process sent; `/metrics` shows it. Tests count on the wire instead."""

    def __init__(self) -> None:
        """Starts at zero."""
        self.total = 0


class Batch:
    """Statements that are sent together when the `async with` ends."""

    def __init__(self) -> None:
        """Made by `tenant_batch` and `system_batch`."""
        self._statements: list[Statement] = []
        self._pending: list[Pending[Any]] = []

    @overload
    def add(self, query: Query, params: Mapping[str, Any] | None = None) -> Pending[Row]: ...
    @overload
    def add(
        self, query: Query, params: Mapping[str, Any] | None = None, *, row: type[T]
    ) -> Pending[T]: ...
    def add(
        self,
        query: Query,
        params: Mapping[str, Any] | None = None,
        *,
        row: type[Any] | None = None,
    ) -> Pending[Any]:
        """Queue a statement; `row` is the Struct its rows become (default: dicts)."""
        statement = Statement(query, params, row)
        pending: Pending[Any] = Pending(statement)
        self._statements.append(statement)
        self._pending.append(pending)
        return pending

    def queue(self, query: Query, params: Mapping[str, Any] | None = None) -> None:
        """Queue a statement whose answer nobody waits for."""
        self.add(query, params)

    async def _run(self, connection: Connection, tenant: Tenant | None, limit: str) -> None:
        await connection.send([_settings(tenant, limit), *self._statements])
        for pending in self._pending:
            pending.settle()


class Transaction:
    """A transaction under way. Every call is one round trip, except `queue`, which is none."""

    def __init__(
        self, connection: Connection, tenant: Tenant | None, timeout: str, trips: RoundTrips
    ) -> None:
        """Made by `tenant_transaction` and `system_transaction`."""
        self._connection = connection
        self._tenant = tenant
        self._timeout = timeout
        self._trips = trips
        self._begun = False
        self._queue: list[Statement] = []

    @property
    def tenant(self) -> Tenant:
        """The tenant of this transaction. Raises RuntimeError in a system transaction."""
        if self._tenant is None:
            raise RuntimeError("a system transaction has no tenant")
        return self._tenant

    def queue(self, query: Query, params: Mapping[str, Any] | None = None) -> None:
        """Send a statement along with the next one, or with the commit."""
        self._queue.append(Statement(query, params, None))

    @overload
    async def fetch(self, query: Query, params: Mapping[str, Any] | None = None) -> list[Row]: ...
    @overload
    async def fetch(
        self, query: Query, params: Mapping[str, Any] | None = None, *, row: type[T]
    ) -> list[T]: ...
    async def fetch(
        self,
        query: Query,
        params: Mapping[str, Any] | None = None,
        *,
        row: type[Any] | None = None,
    ) -> list[Any]:
        """Run a statement now and return its rows."""
        statement = Statement(query, params, row)
        await self._flush([statement])
        return statement.rows

    @overload
    async def optional(
        self, query: Query, params: Mapping[str, Any] | None = None
    ) -> Row | None: ...
    @overload
    async def optional(
        self, query: Query, params: Mapping[str, Any] | None = None, *, row: type[T]
    ) -> T | None: ...
    async def optional(
        self,
        query: Query,
        params: Mapping[str, Any] | None = None,
        *,
        row: type[Any] | None = None,
    ) -> Any:
        """Run a statement now and return its only row, or None."""
        rows: list[Any] = await self.fetch(query, params, row=row)  # type: ignore[arg-type]
        return rows[0] if rows else None

    @overload
    async def one(self, query: Query, params: Mapping[str, Any] | None = None) -> Row: ...
    @overload
    async def one(
        self, query: Query, params: Mapping[str, Any] | None = None, *, row: type[T]
    ) -> T: ...
    async def one(
        self,
        query: Query,
        params: Mapping[str, Any] | None = None,
        *,
        row: type[Any] | None = None,
    ) -> Any:
        """Run a statement now and return its only row. Raises `RowMissing` when there is none."""
        rows: list[Any] = await self.fetch(query, params, row=row)  # type: ignore[arg-type]
        return only(rows)

    async def value(self, query: Query, params: Mapping[str, Any] | None = None) -> Any:
        """Run a statement now and return the only column of its only row."""
        return value_of(await self.one(query, params))

    async def execute(self, query: Query, params: Mapping[str, Any] | None = None) -> int:
        """Run a statement now and return how many rows it touched."""
        statement = Statement(query, params, None)
        await self._flush([statement])
        return statement.count

    async def _flush(self, last: Sequence[Statement], *, commit: bool = False) -> None:
        if commit and not self._begun and not self._queue:
            return
        self._trips.total += 1
        begin = [] if self._begun else [_BEGIN, _settings(self._tenant, self._timeout)]
        await self._connection.send([*begin, *self._queue, *last, *([_COMMIT] if commit else [])])
        self._begun = not commit
        self._queue.clear()

    async def _rollback(self) -> None:
        if not self._connection.closed:
            await self._connection.rollback()


class Database:
    """The pools of one process and the doors through them."""

    def __init__(self, primary: Pool, analytics: Pool | None = None) -> None:
        """Pools are opened by `open()`."""
        self._primary = primary
        self._analytics = analytics
        self.trips = RoundTrips()

    async def open(self) -> None:
        """Open the pools; connections are made in the background."""
        await self._primary.open()
        if self._analytics is not None:
            await self._analytics.open()

    async def close(self) -> None:
        """Drain and close the pools."""
        await self._primary.close()
        if self._analytics is not None:
            await self._analytics.close()

    def pool_stats(self) -> dict[str, dict[str, int]]:
        """psycopg_pool's figures by pool name."""
        pools = [pool for pool in (self._primary, self._analytics) if pool is not None]
        return {pool.name: dict(pool.get_stats()) for pool in pools}

    @asynccontextmanager
    async def tenant_batch(
        self, tenant: Tenant, *, repeatable: bool = False
    ) -> AsyncIterator[Batch]:
        """Queue statements in the block; they run in one round trip when it ends.

        `repeatable` marks work that may run twice (reads): then a lost connection is retried.
        """
        batch = Batch()
        yield batch
        await self._send(self._primary, batch, tenant, repeatable=repeatable)

    @asynccontextmanager
    async def report_batch(self, tenant: Tenant) -> AsyncIterator[Batch]:
        """As `tenant_batch`, for long reads: on the analytics pool, where there is one."""
        batch = Batch()
        yield batch
        await self._send(self._analytics or self._primary, batch, tenant, repeatable=True)

    @asynccontextmanager
    async def system_batch(self, *, repeatable: bool = False) -> AsyncIterator[Batch]:
        """As `tenant_batch`, without a tenant. For tenancy, realtime, queue and sweeps alone."""
        batch = Batch()
        yield batch
        await self._send(self._primary, batch, None, repeatable=repeatable)

    @asynccontextmanager
    async def tenant_transaction(self, tenant: Tenant) -> AsyncIterator[Transaction]:
        """A transaction that commits when the block ends and rolls back when it raises."""
        async with self._transaction(tenant) as transaction:
            yield transaction

    @asynccontextmanager
    async def system_transaction(self) -> AsyncIterator[Transaction]:
        """A transaction without a tenant. For tenancy, realtime, queue and sweeps alone."""
        async with self._transaction(None) as transaction:
            yield transaction

    async def _send(
        self, pool: Pool, batch: Batch, tenant: Tenant | None, *, repeatable: bool
    ) -> None:
        if not batch._statements:
            return
        for attempt in range(1, _TRIES + 1):
            try:
                connection = await _lend(pool)
                try:
                    self.trips.total += 1
                    await batch._run(connection, tenant, pool.statement_timeout)
                finally:
                    await pool.back(connection)
                return
            except Exception as error:
                await _drop_lost(pool, error)
                if attempt == _TRIES or not _may_repeat(error, repeatable=repeatable):
                    raise translate(error) from error
            await asyncio.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - jitter

    @asynccontextmanager
    async def _transaction(self, tenant: Tenant | None) -> AsyncIterator[Transaction]:
        pool = self._primary
        try:
            connection = await _lend(pool)
            transaction = Transaction(connection, tenant, pool.statement_timeout, self.trips)
            try:
                yield transaction
                await transaction._flush([], commit=True)
            except BaseException:
                await transaction._rollback()
                raise
            finally:
                await pool.back(connection)
        except Exception as error:
            await _drop_lost(pool, error)
            translated = translate(error)
            if translated is error:
                raise
            raise translated from error


async def _lend(pool: Pool) -> Connection:
    """A connection of the pool, which the caller gives back."""
    task = asyncio.current_task()
    asked = task.cancelling() if task is not None else 0
    connection = await pool.lend()
    # Python 3.11 loses a cancellation that arrives while the pool hands the connection over.
    if task is not None and task.cancelling() > asked:
        await pool.back(connection)
        raise asyncio.CancelledError
    return connection


async def _drop_lost(pool: Pool, error: Exception) -> None:
    # Where one connection broke, the idle ones most likely did too: a try finds whole ones.
    if is_lost_connection(error):
        await pool.drop_lost()


@lru_cache(maxsize=1024)
def _settings(tenant: Tenant | None, limit: str) -> Command:
    """The transaction's settings, which go ahead of its statements in the same pipeline."""
    if tenant is None:
        return Command(_SET_TIMEOUT, limit.encode())
    who = (str(tenant.organization_id), str(tenant.user_id), tenant.role)
    return Command(_SET_TENANT, limit.encode(), *(text.encode() for text in who))


def _may_repeat(error: Exception, *, repeatable: bool) -> bool:
    if getattr(error, "sqlstate", None) in REPEATABLE:
        return True
    return repeatable and is_lost_connection(error)
