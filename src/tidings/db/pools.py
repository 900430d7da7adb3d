"""Connection pools. Connections are in autocommit, so that a pipeline is one transaction."""

from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from tidings.base.settings import Settings

Connection = AsyncConnection[TupleRow]


class Pool(AsyncConnectionPool[Connection]):
    """Connections, and how long a statement over them may take, in milliseconds."""

    statement_timeout: str = "0"


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


def _pool(name: str, url: str, settings: Settings, least: int, most: int) -> Pool:
    # No check at checkout: it would cost every request a round trip. Keepalives notice dead peers.
    return Pool(
        url,
        connection_class=AsyncConnection[TupleRow],
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
        reconnect_timeout=30,
        name=name,
        open=False,
    )
