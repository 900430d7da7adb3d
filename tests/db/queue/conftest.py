"""The queue's steps one by one, as a worker would take them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from tidings.base.settings import Settings
from tidings.db.pools import primary_pool
from tidings.db.queries import Query
from tidings.db.transaction import Database
from tidings.queue.claim import ClaimedJob, add_claim
from tidings.queue.context import JobContext
from tidings.queue.enqueue import NewJob, enqueue
from tidings.queue.finish import Completion, add_completions
from tidings.queue.held import Held
from tidings.queue.runs import StartedRun, start_run

from factories.organizations import Organization

Later = Callable[[str], AbstractAsyncContextManager[Database]]


class Steps:
    """Every step of a job's life, for one organization."""

    def __init__(self, db: Database, organization: Organization, superuser_url: str) -> None:
        self.db = db
        self.tenant = organization.tenant
        self.superuser_url = superuser_url

    async def enqueue(self, kind: str = "work", **fields: Any) -> UUID:
        async with self.db.tenant_batch(self.tenant) as batch:
            return enqueue(batch, NewJob(kind=kind, **fields))

    async def start_run(
        self, subject: str = "acme.com", kind: str = "work", **options: Any
    ) -> StartedRun:
        async with self.db.tenant_transaction(self.tenant) as transaction:
            return await start_run(
                transaction, kind=kind, subject=subject, **{"args": {}, **options}
            )

    async def claim(
        self, most: int = 10, *, kind: str = "work", db: Database | None = None, **options: Any
    ) -> list[ClaimedJob]:
        async with (db or self.db).system_batch() as batch:
            found = add_claim(batch, [kind], most, **{"lease": 15, "worker": "w1", **options})
        return found.rows

    async def claim_one(self, **options: Any) -> ClaimedJob:
        (job,) = await self.claim(1, **options)
        return job

    async def complete(
        self, job: ClaimedJob, result: str | None = None, *, db: Database | None = None
    ) -> str:
        """Complete one job as a worker would; answers with what became of it."""
        database = db or self.db
        async with database.system_batch() as batch:
            held = Held(job, JobContext(database, job), 0, 0)
            others = add_completions(batch, [Completion(held, result)])
        return next((row["status"] for row in others.rows), "completed")

    async def rows(
        self, statement: str, params: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Look at the tables as nobody in production can."""
        async with await psycopg.AsyncConnection.connect(
            self.superuser_url, row_factory=dict_row
        ) as connection:
            return await (await connection.execute(statement, params)).fetchall()

    async def status(self, job_id: UUID) -> str | None:
        found = await self.rows(
            "SELECT status FROM tidings.jobs WHERE id = %(id)s "
            "UNION ALL SELECT status FROM tidings.finished_jobs WHERE id = %(id)s",
            {"id": job_id},
        )
        assert len(found) <= 1
        return found[0]["status"] if found else None

    async def events(self, run_id: UUID) -> list[tuple[str, dict[str, Any]]]:
        found = await self.rows(
            "SELECT event, payload FROM tidings.outbox WHERE topic = %(topic)s ORDER BY serial",
            {"topic": f"run:{run_id}"},
        )
        return [(row["event"], row["payload"]) for row in found]

    async def system(self, query: Query, params: dict[str, Any]) -> list[dict[str, Any]]:
        async with self.db.system_batch() as batch:
            answer = batch.add(query, params)
        return answer.rows


@pytest.fixture
def steps(db: Database, organization: Organization, superuser_url: str) -> Steps:
    return Steps(db, organization, superuser_url)


@pytest.fixture
def later(settings: Settings, database_url: str) -> Later:
    """The same database with its clock moved on: `async with later("20 s") as db`."""

    @asynccontextmanager
    async def moved(by: str) -> AsyncIterator[Database]:
        joint = "&" if "?" in database_url else "?"
        shift = f"{joint}options=-ctidings.clock_shift%3D{by.replace(' ', '')}"
        database = Database(primary_pool(settings, database_url + shift))
        await database.open()
        try:
            yield database
        finally:
            await database.close()

    return moved
