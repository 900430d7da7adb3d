"""What the benchmarks of the queue share: our worker, and the peers at their best."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import procrastinate
import psycopg
from pgqueuer.db import AsyncpgDriver
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode

from place import Place
from tidings.base.tenant import Tenant
from tidings.db.transaction import Database
from tidings.queue.claim import ClaimConfig
from tidings.queue.enqueue import NewJob, enqueue_many
from tidings.queue.wake import WakeUp
from tidings.queue.worker import Worker, WorkerConfig

CHUNK = 1000
SLOTS = 100


async def fill(database: Database, tenant: Tenant, jobs: int) -> None:
    """Enqueue jobs that do nothing, a thousand at once."""
    for begin in range(0, jobs, CHUNK):
        async with database.tenant_batch(tenant) as batch:
            new = [NewJob(kind="noop", args={"n": n}) for n in range(begin, begin + CHUNK)]
            enqueue_many(batch, new)


def worker(database: Database, handler: Any, url: str | None = None) -> Worker:
    """One as `tidings work` has it, with as many jobs at once as the peers run."""
    config = WorkerConfig(name="bench", claim=ClaimConfig(slots=SLOTS))
    return Worker(database, {"noop": handler}, config, WakeUp(url))


async def drain(database: Database, jobs: int) -> float:
    """Jobs a second of one worker, until the last is acknowledged."""
    done = 0

    async def noop(_context: object, _args: object) -> None:
        nonlocal done
        done += 1

    began = time.perf_counter()
    last = began
    one = worker(database, noop)
    running = asyncio.create_task(one.run())
    while done < jobs or one.running:  # noqa: ASYNC110 - nothing tells that the last is acknowledged
        await asyncio.sleep(0.001)
    last = time.perf_counter()
    one.stop()
    await running
    assert done == jobs
    return jobs / (last - began)


class PgQueuer:
    """pgqueuer on asyncpg, its fastest driver."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        """Installed already."""
        self.queries = Queries(AsyncpgDriver(connection))

    async def fill(self, jobs: int) -> None:
        """Enqueue jobs that do nothing, a thousand at once."""
        for _ in range(0, jobs, CHUNK):
            await self.queries.enqueue(["noop"] * CHUNK, [b'{"n": 1}'] * CHUNK, [0] * CHUNK)

    async def drain(self, jobs: int) -> float:
        """Jobs a second in batches of 100, until it stops by itself."""
        done = 0
        manager = QueueManager(self.queries)

        @manager.entrypoint("noop")
        async def noop(_job: object) -> None:
            nonlocal done
            done += 1

        began = time.perf_counter()
        await manager.run(batch_size=100, mode=QueueExecutionMode.drain)
        passed = time.perf_counter() - began
        assert done == jobs
        return jobs / passed


@asynccontextmanager
async def open_pgqueuer(place: Place, *, install: bool = True) -> AsyncIterator[PgQueuer]:
    """Its tables in the database `peer` of the same server."""
    connection = await asyncpg.connect(place.url("peer", "postgres"))
    peer = PgQueuer(connection)
    if install:
        await peer.queries.install()
    try:
        yield peer
    finally:
        await connection.close()


class Procrastinate:
    """procrastinate on psycopg, 20 jobs at once."""

    def __init__(self, app: procrastinate.App) -> None:
        """Opened already."""
        self.app = app
        self.done = 0

        @app.task(name="noop")
        async def noop(n: int) -> None:
            self.done += 1

        self.task = noop

    async def fill(self, jobs: int) -> None:
        """Enqueue jobs that do nothing, a thousand at once."""
        for begin in range(0, jobs, CHUNK):
            await self.task.batch_defer_async(
                *[{"n": n} for n in range(begin, min(jobs, begin + CHUNK))]
            )

    async def drain(self, jobs: int) -> float:
        """Jobs a second, until it stops by itself."""
        self.done = 0
        began = time.perf_counter()
        await self.app.run_worker_async(
            concurrency=20, wait=False, listen_notify=False, install_signal_handlers=False
        )
        passed = time.perf_counter() - began
        assert self.done == jobs
        return jobs / passed


@asynccontextmanager
async def open_procrastinate(place: Place) -> AsyncIterator[Procrastinate]:
    """Its tables in the database `peer` of the same server."""
    connector = procrastinate.PsycopgConnector(
        conninfo=place.url("peer", "postgres"), min_size=1, max_size=20
    )
    app = procrastinate.App(connector=connector)
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        yield Procrastinate(app)


class Graphile:
    """graphile-worker on Node.js with its local queue: 24 jobs at once, 500 held."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Migrated already."""
        self.process = process

    async def fill(self, jobs: int) -> None:
        """Enqueue jobs that do nothing, a thousand at once."""
        await self._say(f"fill {jobs}")

    async def drain(self, jobs: int) -> float:
        """Jobs a second, until the last row is gone."""
        answer = await self._say(f"drain {jobs}")
        return float(answer["rate"])

    async def _say(self, line: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        return await self.hear()

    async def hear(self) -> dict[str, Any]:
        """The next line it says."""
        assert self.process.stdout is not None
        said: dict[str, Any] = json.loads(await self.process.stdout.readline())
        return said


@asynccontextmanager
async def open_graphile(place: Place) -> AsyncIterator[Graphile]:
    """Its tables in the database `peer` of the same server."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(Path(__file__).parent / "node" / "peer_graphile.cjs"),
        place.url("peer", "postgres"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    peer = Graphile(process)
    await peer.hear()
    try:
        yield peer
    finally:
        process.terminate()
        await process.wait()


BARE = """
    CREATE TABLE bare (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL, payload jsonb,
        state smallint NOT NULL DEFAULT 0, run_at timestamptz NOT NULL DEFAULT now(),
        attempts int NOT NULL DEFAULT 0);
    CREATE INDEX ON bare (run_at, id) WHERE state = 0
"""
BARE_CLAIM = """
    UPDATE bare SET state = 1, attempts = attempts + 1 WHERE id IN (
        SELECT id FROM bare WHERE state = 0 AND run_at <= now() ORDER BY run_at, id
        LIMIT 100 FOR UPDATE SKIP LOCKED)
    RETURNING id, kind, payload"""


class BareLoop:
    """What PostgreSQL gives a loop of psycopg that claims a hundred, then deletes them."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """With its table."""
        self.connection = connection

    async def fill(self, jobs: int) -> None:
        """Rows that are due."""
        await self.connection.execute(
            "INSERT INTO bare (kind, payload) SELECT 'noop', '{\"n\": 1}' "
            "FROM generate_series(1, %s)",
            [jobs],
        )

    async def drain(self, jobs: int) -> float:
        """Jobs a second."""
        done = 0
        began = time.perf_counter()
        while done < jobs:
            claimed = await (await self.connection.execute(BARE_CLAIM)).fetchall()
            ids = [row[0] for row in claimed]
            await self.connection.execute("DELETE FROM bare WHERE id = ANY (%s)", [ids])
            done += len(ids)
        return jobs / (time.perf_counter() - began)


@asynccontextmanager
async def open_bare_loop(place: Place) -> AsyncIterator[BareLoop]:
    """Its table in the database `peer`."""
    async with await psycopg.AsyncConnection.connect(
        place.url("peer", "postgres"), autocommit=True, prepare_threshold=0
    ) as connection:
        for statement in BARE.split(";"):
            await connection.execute(statement.encode())
        yield BareLoop(connection)
