"""The peer of http_kv_get.py: one Litestar handler and one pipelined read, and nothing else.

It knows its tenant beforehand: no credential, no limits, no metrics, no headers of its own.
"""

import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import msgspec
from litestar import Litestar, get
from litestar.params import FromPath
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

TENANT = (
    "SELECT set_config('tidings.organization_id', %s, true), "
    "set_config('tidings.user_id', %s, true), set_config('tidings.role', %s, true)"
)
READ = (
    "SELECT key, value, version, expires_at FROM tidings.kv_store "
    "WHERE organization_id = tidings.current_organization() AND key = %s "
    "AND (expires_at IS NULL OR expires_at > tidings.now())"
)
WHO = tuple(os.environ.get("BENCH_TENANT", "").split())
pool: AsyncConnectionPool = AsyncConnectionPool(
    os.environ.get("BENCH_URL", ""),
    min_size=16,
    max_size=16,
    open=False,
    kwargs={"autocommit": True, "prepare_threshold": 0},
)


class Entry(msgspec.Struct):
    """What is read."""

    key: str
    value: Any
    version: int
    expires_at: datetime | None


@get("/v1/kv/{key:str}")
async def read(key: FromPath[str]) -> Entry:
    """Set the tenant and read a key: one round trip."""
    async with pool.connection() as connection:
        async with connection.pipeline():
            await connection.execute(TENANT, WHO)
            cursor = connection.cursor(row_factory=class_row(Entry))
            await cursor.execute(READ, (key,))
        entry = await cursor.fetchone()
    assert entry is not None
    return entry


@asynccontextmanager
async def lifespan(_: Litestar) -> AsyncIterator[None]:
    """The pool is open while the application runs."""
    async with pool:
        await pool.wait()
        gc.collect()
        gc.freeze()
        yield


app = Litestar([read], lifespan=[lifespan], openapi_config=None, logging_config=None)
