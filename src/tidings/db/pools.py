"""Connection pools. Connections are in autocommit, so that a pipeline is one transaction."""

import asyncio
import json
from time import monotonic
from typing import Any

import msgspec
from psycopg.pq import TransactionStatus
from psycopg.types.json import set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from tidings.base.errors import DatabaseBusy, DatabaseUnavailable
from tidings.base.settings import Settings
from tidings.db.connection import Connection


class Pool(AsyncConnectionPool[Connection]):
    """Connections, and how long a statement over them may take, in milliseconds.

    The one that was given back last is lent first: its server process has its plans and catalogs
    in the processor's caches, which makes a short statement a quarter cheaper than in turns.
    """

    statement_timeout: str = "0"
    _lent = 0
    _looking: asyncio.Task[None] | None = None

    async def lend(self) -> Connection:
        """A connection, to be given `back`.

        Raises `DatabaseBusy` when all were in use as long as the pool waits, `DatabaseUnavailable`
        when none could be made.
        """
        connection = self._newest()
        if connection is None:
            try:
                connection = await self.getconn()
            except PoolTimeout as error:
                if self._lent >= self.max_size:
                    raise DatabaseBusy(retry_after=1) from error
                raise DatabaseUnavailable(retry_after=2) from error
        self._lent += 1
        return connection

    async def back(self, connection: Connection) -> None:
        """Take a connection back."""
        self._lent -= 1
        if not self._keep(connection):
            await self.putconn(connection)

    # psycopg_pool lends in turns, and takes 10 µs of Python for it: what is the rule, an idle
    # connection lent and a clean one given back, is done here; all else stays with it.

    def _newest(self) -> Connection | None:
        if not self._pool or self._closed or self._lock.locked():
            return None
        connection = self._pool.pop()
        self._nconns_min = min(self._nconns_min, len(self._pool))
        self._stats[self._REQUESTS_NUM] += 1
        connection._pool = self
        return connection

    def _keep(self, connection: Connection) -> bool:
        """Take a clean one back, unless somebody waits for it or its time is over."""
        if (
            self._waiting
            or self._closed
            or self._lock.locked()
            or connection.pgconn.transaction_status != TransactionStatus.IDLE
            or connection._created_at <= self._drained_at
            or connection._expire_at <= monotonic()
        ):
            return False
        connection._pool = None
        self._pool.append(connection)
        return True

    async def drop_lost(self) -> None:
        """Part with idle connections that are broken.

        Callers at the same time share one look, which goes on when a caller is cancelled: half
        done, it would leave connections neither in the pool nor outside of it.
        """
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self.check())
        await asyncio.shield(self._looking)


_KEEPALIVE: dict[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    # Keepalives wait while something sent is not acknowledged: without this, for a quarter hour.
    "tcp_user_timeout": 30_000,
    "connect_timeout": 5,
}


def primary_pool(settings: Settings, url: str) -> Pool:
    """The pool that serves requests and jobs, as tidings_app. Not open yet."""
    pool = _pool("primary", url, settings, settings.pool_primary_min, settings.pool_primary_max)
    pool.statement_timeout = f"{settings.statement_timeout * 1000:.0f}"
    return pool


def analytics_pool(settings: Settings, url: str) -> Pool:
    """The read-only pool of long reports. Not open yet."""
    pool = _pool(
        "analytics", url, settings, settings.pool_analytics_min, settings.pool_analytics_max
    )
    pool.statement_timeout = f"{settings.analytics_timeout * 1000:.0f}"
    return pool


_MOST_DIGITS = 4_300


async def _configure(connection: Connection) -> None:
    set_json_loads(_read_json, connection)


def _read_json(text: str | bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        # jsonb keeps numbers of any size, which msgspec does not read.
        return json.loads(text, parse_int=_read_integer)


def _read_integer(digits: str) -> int | float:
    # Of more digits Python makes no integer; it would refuse the row, and with it all beside it.
    return int(digits) if len(digits) < _MOST_DIGITS else float(digits)


def _pool(name: str, url: str, settings: Settings, least: int, most: int) -> Pool:
    # No check at checkout: it would cost every request a round trip. Keepalives notice dead peers.
    return Pool(
        url,
        connection_class=Connection,
        configure=_configure,
        kwargs={
            "autocommit": True,
            "prepare_threshold": 5 if settings.database_prepare else None,
            "application_name": f"tidings-{name}",
            **_KEEPALIVE,
        },
        min_size=min(least, most),
        max_size=most,
        timeout=settings.pool_timeout,
        max_lifetime=settings.pool_lifetime,
        max_idle=300,
        # The pauses between tries double; once they are given up, the next caller tries at once.
        reconnect_timeout=settings.pool_timeout,
        name=name,
        open=False,
    )
