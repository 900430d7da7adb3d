"""Workers that die: SIGKILL in the middle of a job, SIGTERM, and a database that drops them."""

import asyncio
import signal
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from tidings.queue.enqueue import NewJob, enqueue_many
from tidings.queue.runs import get_run, start_run

SCRIPT = Path(__file__).with_name("worker_of_test_queue.py")
PATIENCE = 60
JOBS = 1000
CUTS = 5
CUT = (
    "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
    "WHERE usename = 'tidings_app' AND datname = current_database()"
)
LONG = 60.0
"""The lease of a worker that must not lose it, however busy the machine is."""
LATE = 20
"""Seconds after a lease's end; an idle machine has the job run again within 5."""


@pytest.fixture
async def look(superuser_url):
    """Asks the database, past row security; effects of jobs go to a table made here."""
    connection = await psycopg.AsyncConnection.connect(
        superuser_url, autocommit=True, row_factory=dict_row
    )
    await connection.execute("CREATE TABLE public.effects (by text, job uuid)")
    await connection.execute("GRANT INSERT ON public.effects TO tidings_app")

    async def rows(statement, params=None):
        return await (await connection.execute(statement, params)).fetchall()

    yield rows
    await connection.close()


@asynccontextmanager
async def process(url, name, how, lease=1.0):
    worker = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), url, name, how, str(lease), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert await line(worker) == "started"
        yield worker
    finally:
        if worker.returncode is None:
            worker.kill()
        await worker.wait()


async def line(worker):
    read = await asyncio.wait_for(worker.stdout.readline(), PATIENCE)
    return read.decode().strip()


async def until(rows, statement):
    async with asyncio.timeout(PATIENCE):
        while not await rows(statement):
            await rows("SELECT pg_sleep(0.01)")  # the processor is for what is waited for


async def test_a_killed_workers_run_is_finished_once_by_another(
    db, organization, database_url, look
):
    async with db.tenant_transaction(organization.tenant) as transaction:
        started = await start_run(transaction, kind="work", subject="acme.com", args={})
    async with process(database_url, "dies", "hang") as dies:
        assert await line(dies) == "reached"
        async with process(database_url, "lives", "finish", LONG):
            dies.send_signal(signal.SIGKILL)
            killed_at = time.monotonic()
            await dies.wait()
            await until(look, "SELECT FROM tidings.runs WHERE status = 'complete'")
            assert time.monotonic() - killed_at < 1 + LATE
    run = await get_run(db, organization.tenant, started.run_id)
    assert run.result == {"by": "lives"}
    assert await look("SELECT by FROM public.effects") == [{"by": "lives"}]
    assert await look("SELECT attempt, status FROM tidings.finished_jobs") == [
        {"attempt": 2, "status": "completed"}
    ]
    assert await look("SELECT FROM tidings.jobs") == []


async def test_sigterm_gives_back_what_hangs(db, organization, database_url, look):
    async with db.tenant_batch(organization.tenant) as batch:
        enqueue_many(batch, [NewJob(kind="work")])
    async with process(database_url, "stops", "hang", LONG) as stops:
        assert await line(stops) == "reached"
        stops.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(stops.wait(), PATIENCE) == 0
    assert await look("SELECT status, attempt FROM tidings.jobs") == [
        {"status": "pending", "attempt": 0}
    ]
    assert await look("SELECT FROM public.effects") == []


async def test_every_job_is_done_once_while_connections_are_cut(
    db, organization, database_url, look
):
    async with (
        process(database_url, "a", "finish"),
        process(database_url, "b", "finish"),
        asyncio.timeout(PATIENCE),
    ):
        ids = []
        for _ in range(CUTS):  # whose cut comes late is not left without jobs to cut
            async with db.tenant_batch(organization.tenant) as batch:
                new = enqueue_many(batch, [NewJob(kind="work", max_attempts=50)] * (JOBS // CUTS))
            await until(look, f"SELECT FROM tidings.finished_jobs HAVING count(*) > {len(ids)}")
            ids += new
            await look(CUT)
            await db._primary.drop_lost()
        await until(look, "SELECT WHERE NOT EXISTS (SELECT FROM tidings.jobs)")
    effects = await look("SELECT job FROM public.effects")
    assert sorted(row["job"] for row in effects) == ids
    assert await look("SELECT status, count(*) FROM tidings.finished_jobs GROUP BY 1") == [
        {"status": "completed", "count": JOBS}
    ]


async def test_a_worker_killed_amid_a_batch_loses_no_job_and_ends_none_twice(
    db, organization, database_url, look
):
    """It held many, some done and not acknowledged, some not begun."""
    async with db.tenant_batch(organization.tenant) as batch:
        ids = enqueue_many(batch, [NewJob(kind="work")] * JOBS)
    async with process(database_url, "dies", "die") as dies:
        assert await asyncio.wait_for(dies.wait(), PATIENCE) == -signal.SIGKILL
    # What it had sent last may still be under way there, and end or claim some more.
    await look(CUT)
    (held,) = await look(
        "SELECT count(*) AS n, max(lease_until) AS until FROM tidings.jobs WHERE status = 'running'"
    )
    assert held["n"] > 0
    async with process(database_url, "lives", "return", LONG):
        (started,) = await look("SELECT clock_timestamp() AS at")
        await until(look, "SELECT WHERE NOT EXISTS (SELECT FROM tidings.jobs)")
        (late,) = await look(
            "SELECT count(*) AS n FROM tidings.finished_jobs "
            f"WHERE attempt > 1 AND claimed_at > %s + interval '{LATE} seconds'",
            [max(held["until"], started["at"])],
        )
    assert late["n"] == 0
    ended = await look("SELECT id, status, attempt FROM tidings.finished_jobs")
    assert sorted(row["id"] for row in ended) == ids
    assert {row["status"] for row in ended} == {"completed"}
    assert {row["attempt"] for row in ended} == {1, 2}
    assert sum(row["attempt"] == 2 for row in ended) == held["n"]
    effects = await look("SELECT DISTINCT job FROM public.effects")
    assert sorted(row["job"] for row in effects) == ids


async def test_a_worker_taken_for_dead_completes_nothing(db, organization, database_url, look):
    """SIGSTOP: its leases end, another does the jobs, and what it says when it goes on is late."""
    async with db.tenant_batch(organization.tenant) as batch:
        (job_id,) = enqueue_many(batch, [NewJob(kind="work")])
    async with process(database_url, "sleeps", "hang") as sleeps:
        assert await line(sleeps) == "reached"
        sleeps.send_signal(signal.SIGSTOP)
        # Its open transaction has the job's effect; the database drops it, as a network would.
        await look(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE usename = 'tidings_app' AND state = 'idle in transaction'"
        )
        async with process(database_url, "lives", "finish", LONG):
            await until(look, "SELECT FROM tidings.finished_jobs WHERE status = 'completed'")
            sleeps.send_signal(signal.SIGCONT)
            sleeps.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(sleeps.wait(), PATIENCE) is not None
    assert await look("SELECT by, job FROM public.effects") == [{"by": "lives", "job": job_id}]
    assert await look("SELECT id, status, attempt FROM tidings.finished_jobs") == [
        {"id": job_id, "status": "completed", "attempt": 2}
    ]
