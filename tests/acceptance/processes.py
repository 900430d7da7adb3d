"""Workers in processes of their own, and locks that hold them where a test wants them."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import psycopg

from acceptance.product import PATIENCE, Product
from tidings.base.settings import Settings

WAIT = "SELECT pg_sleep(0.01)"
"""Between two looks: the processor is for the process that is waited for."""
WORKER = {"TIDINGS_JOB_LEASE": "1", "TIDINGS_JOB_HEARTBEAT": "0.3", "TIDINGS_LOG_LEVEL": "error"}


@asynccontextmanager
async def worker_process(settings: Settings, **env: str) -> AsyncIterator[Process]:
    """`tidings work` as it is deployed, in a folder without a `.env`."""
    assert settings.database_url is not None
    clean = {name: value for name, value in os.environ.items() if "TIDINGS" not in name}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tidings", "work",
        cwd=settings.home,
        stdin=DEVNULL,
        env={
            **clean,
            "TIDINGS_HOME": str(settings.home),
            "TIDINGS_DATABASE_URL": settings.database_url,
            "TIDINGS_LISTEN_URL": settings.database_url,
            "TIDINGS_FATHOM_BASE_URL": settings.fathom_base_url,
            "TIDINGS_POOL_PRIMARY_MIN": "2",
            **WORKER,
            **env,
        },
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def claiming(product: Product) -> None:
    """Until a worker waits for jobs."""
    async with asyncio.timeout(PATIENCE):
        while not await product.look("SELECT FROM tidings.queue_listeners WHERE idle"):
            await product.look(WAIT)


async def kill(process: Process) -> None:
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL


class Lock:
    """A transaction of the test that holds a table or a row, and sees who waits."""

    def __init__(self, product: Product, connection: psycopg.AsyncConnection[Any]) -> None:
        self._product = product
        self._connection = connection

    async def hold(self, table: str, mode: str) -> None:
        await self._connection.execute(f"LOCK TABLE tidings.{table} IN {mode} MODE".encode())

    async def hold_row(self, table: str, row_id: str) -> None:
        await self._connection.execute(
            f"SELECT FROM tidings.{table} WHERE id = %s FOR UPDATE".encode(), [row_id]
        )

    async def release(self) -> None:
        await self._connection.rollback()

    async def waited_for(
        self, table: str | None, statement: str = "%", user: str = "tidings_app"
    ) -> int:
        """Until such a statement waits for the table, or for a row; the session's process id."""
        async with asyncio.timeout(PATIENCE):
            while True:
                rows = await self._product.look(
                    "SELECT l.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
                    "WHERE NOT l.granted AND a.datname = current_database() "
                    "AND a.usename = %s AND a.query LIKE %s "
                    "AND l.relation IS NOT DISTINCT FROM %s::regclass",
                    user, statement, table and f"tidings.{table}",
                )  # fmt: skip
                if rows:
                    pid: int = rows[0]["pid"]
                    return pid
                await self._product.look(WAIT)


@asynccontextmanager
async def locks(product: Product, count: int) -> AsyncIterator[list[Lock]]:
    async with AsyncExitStack() as stack:
        yield [
            Lock(
                product,
                await stack.enter_async_context(
                    await psycopg.AsyncConnection.connect(product.superuser_url)
                ),
            )
            for _ in range(count)
        ]
