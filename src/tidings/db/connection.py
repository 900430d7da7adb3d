"""A connection that sends statements together: one Sync, one implicit transaction, one round trip.

It talks to libpq itself. psycopg's own pipeline costs as much again in Python for each statement,
and sends a Flush after the last Sync: of no use, as the Sync flushes already, and a pooler in
transaction mode that meets it alone lends a server for it that it never gets back (PgBouncer with
fewer servers than clients then stands still). Values are written and read by psycopg's adapters.
"""

import asyncio
from collections.abc import Sequence
from functools import cached_property
from itertools import count
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.rows import TupleRow

from tidings.db.statement import Bound, Command, Statement

MOST_PREPARED = 500
"""Statements that one connection may prepare, the first it meets; each is a plan in the server."""

_FINE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
# The plan of a prepared statement no longer fits, or somebody deallocated it.
_FORGOTTEN = ("0A000", "26000")
_PATIENCE = 5.0  # seconds to wait for the end of what was cancelled


class _Memory:
    """What a connection keeps between round trips: adapters by type, prepared statements."""

    def __init__(self, connection: "Connection") -> None:
        self.adapt = Transformer(connection)
        self.uses: dict[tuple[bytes, tuple[int, ...]], int] = {}
        self.prepared: dict[tuple[bytes, tuple[int, ...]], bytes] = {}
        self.names = count(1)


class Connection(AsyncConnection[TupleRow]):
    """psycopg's connection, with `send`. In autocommit, or what is sent is not a transaction."""

    @cached_property
    def _memory(self) -> _Memory:
        return _Memory(self)

    async def send(self, statements: Sequence[Statement | Command]) -> None:
        """Run the statements in order and keep in each what it answered.

        All or none of them happen, unless one is a COMMIT. Raises the first one's psycopg error. A
        caller who is cancelled leaves the connection clean, or closed.
        """
        memory = self._memory
        bound = [statement.bind(memory.adapt) for statement in statements]
        async with self.lock:
            answers = await self._exchange(bound)
        for statement, answer in zip(statements, answers, strict=True):
            statement.read(answer, memory.adapt)
        memory.adapt.set_pgresult(None)  # which may be large, and the connection is kept

    async def _exchange(self, bound: Sequence[Bound]) -> list[PGresult]:
        pgconn = self.pgconn
        pgconn.enter_pipeline_mode()
        try:
            fresh = [self._queue(pgconn, each) for each in bound]
            pgconn.pipeline_sync()
            results = await _results(pgconn)
        except BaseException:
            await self._clean_up(pgconn)
            raise
        pgconn.exit_pipeline_mode()
        return self._answers(results, bound, fresh)

    def _queue(self, pgconn: PGconn, bound: Bound) -> bytes | None:
        """Queue one statement; the name under which it is prepared on the way, if it is."""
        memory, key = self._memory, (bound.sql, bound.types)
        name, fresh = memory.prepared.get(key), None
        if name is None and self._is_worth_preparing(key):
            name = fresh = b"t%d" % next(memory.names)
            pgconn.send_prepare(name, bound.sql, bound.types)
        if name is None:
            pgconn.send_query_params(bound.sql, bound.values, bound.types, bound.formats)
        else:
            pgconn.send_query_prepared(name, bound.values, bound.formats)
        return fresh

    def _is_worth_preparing(self, key: tuple[bytes, tuple[int, ...]]) -> bool:
        uses, threshold = self._memory.uses, self.prepare_threshold
        if threshold is None or (key not in uses and len(uses) >= MOST_PREPARED):
            return False
        uses[key] = uses.get(key, 0) + 1
        return uses[key] > threshold

    def _answers(
        self, results: list[PGresult], bound: Sequence[Bound], fresh: Sequence[bytes | None]
    ) -> list[PGresult]:
        """The result of each statement; notes what is prepared from now on."""
        answers = []
        rest = iter(results)
        for each, name in zip(bound, fresh, strict=True):
            for result in [next(rest) for _ in range(1 if name is None else 2)]:
                if result.status not in _FINE:
                    error = error_from_result(result, self.info.encoding)
                    if error.sqlstate in _FORGOTTEN:
                        self._memory.prepared.clear()
                    raise error
            if name is not None:
                self._memory.prepared[each.sql, each.types] = name
            answers.append(result)
        return answers

    async def _clean_up(self, pgconn: PGconn) -> None:
        """Wait for the end of a pipeline that nobody waits for any more, or close."""
        try:
            if pgconn.status == ConnStatus.OK:
                async with asyncio.timeout(_PATIENCE):
                    await self.cancel_safe(timeout=_PATIENCE)
                    await _results(pgconn)
                pgconn.exit_pipeline_mode()
        except (psycopg.Error, TimeoutError):
            pgconn.finish()
        except BaseException:
            pgconn.finish()
            raise


async def _results(pgconn: PGconn) -> list[PGresult]:
    """Send what is queued, and every result up to the Sync's, which is left out."""
    results: list[PGresult] = []
    is_full = bool(pgconn.flush())
    while True:
        await _ready(pgconn.socket, to_write=is_full)
        try:
            pgconn.consume_input()
            is_full = is_full and bool(pgconn.flush())
        except psycopg.OperationalError as error:
            raise _last_words(results) from error
        while not pgconn.is_busy():
            result = pgconn.get_result()  # None between two statements
            if result is not None:
                if result.status == ExecStatus.PIPELINE_SYNC:
                    return results
                results.append(result)
            if pgconn.status != ConnStatus.OK:
                raise _last_words(results)


def _last_words(results: list[PGresult]) -> psycopg.Error:
    """Why the connection is lost: what the server said before it hung up, if it did."""
    for result in results:
        if result.status not in _FINE:
            return error_from_result(result)
    return psycopg.OperationalError("the connection is lost")


async def _ready(descriptor: int, *, to_write: bool) -> None:
    """Wait until the socket has something to read, or room when something waits to be written."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _wake, future)
    if to_write:
        loop.add_writer(descriptor, _wake, future)
    try:
        await future
    finally:
        loop.remove_reader(descriptor)
        if to_write:
            loop.remove_writer(descriptor)


def _wake(future: "asyncio.Future[Any]") -> None:
    if not future.done():
        future.set_result(None)
