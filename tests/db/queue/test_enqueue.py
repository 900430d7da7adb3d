"""Enqueueing is part of the caller's transaction."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import msgspec
import psycopg
import pytest

from tidings.base import clock
from tidings.base.errors import RoleForbidden
from tidings.base.ids import uuid7
from tidings.queue.context import JobContext
from tidings.queue.enqueue import NewJob, enqueue, enqueue_many, enqueue_unique
from tidings.queue.jobs import get_job, list_jobs


async def test_a_job_exists_when_its_transaction_commits(steps):
    job_id = await steps.enqueue(args={"domain": "acme.com"}, priority=3)
    job = await get_job(steps.db, steps.tenant, job_id)
    assert (job.status, job.args, job.priority, job.attempt) == (
        "pending",
        {"domain": "acme.com"},
        3,
        0,
    )
    assert job.user_id == steps.tenant.user_id


async def test_a_rollback_leaves_no_job(steps):
    made = []

    async def undone():
        async with steps.db.tenant_transaction(steps.tenant) as transaction:
            made.append(await enqueue_unique(transaction, NewJob(kind="work")))
            raise LookupError

    with pytest.raises(LookupError):
        await undone()
    assert await steps.status(made[0]) is None


async def test_arguments_may_be_a_struct(steps):
    class Args(msgspec.Struct):
        domain: str

    job_id = await steps.enqueue(args=Args("acme.com"))
    assert (await get_job(steps.db, steps.tenant, job_id)).args == {"domain": "acme.com"}


async def test_enqueue_costs_no_round_trip_of_its_own(steps):
    before = steps.db.trips.total
    async with steps.db.tenant_batch(steps.tenant) as batch:
        for _ in range(3):
            enqueue(batch, NewJob(kind="work"))
    assert steps.db.trips.total == before + 1


async def test_a_unique_key_lives_once(steps):
    async with steps.db.tenant_transaction(steps.tenant) as transaction:
        first = await enqueue_unique(transaction, NewJob(kind="work", unique_key="k"))
        second = await enqueue_unique(transaction, NewJob(kind="work", unique_key="k"))
        other = await enqueue_unique(transaction, NewJob(kind="other", unique_key="k"))
    assert first == second != other


async def test_a_unique_key_lives_once_under_twenty_at_once(steps):
    async def one():
        async with steps.db.tenant_transaction(steps.tenant) as transaction:
            return await enqueue_unique(transaction, NewJob(kind="work", unique_key="k"))

    ids = await asyncio.gather(*[one() for _ in range(20)])
    assert len(set(ids)) == 1


async def test_a_unique_key_is_free_again_when_its_job_ended(steps):
    first = await steps.enqueue(unique_key="k")
    job = await steps.claim_one()

    await steps.complete(job)
    assert await steps.enqueue(unique_key="k") != first
    assert [job.status for job in await list_jobs(steps.db, steps.tenant)] == [
        "pending",
        "completed",
    ]


async def test_a_unique_key_is_of_one_organization(steps, other_organization):
    await steps.enqueue(unique_key="k")
    async with steps.db.tenant_transaction(other_organization.tenant) as transaction:
        mine = uuid7()
        found = await enqueue_unique(transaction, NewJob(kind="work", unique_key="k"))
    assert found > mine


async def test_many_jobs_are_one_statement(steps):
    at = clock.now() + timedelta(hours=1)
    await steps.enqueue(unique_key="k")
    jobs = [NewJob(kind="work", args={"n": n}, priority=n, run_at=at) for n in range(50)]
    jobs.append(NewJob(kind="work", unique_key="k"))
    jobs.append(NewJob(kind="work", deadline=timedelta(minutes=1), concurrency_key="c"))
    async with steps.db.tenant_batch(steps.tenant) as batch:
        ids = enqueue_many(batch, jobs)
        assert enqueue_many(batch, []) == []
    assert len(ids) == 52
    assert await steps.status(ids[50]) is None
    rows = await steps.rows("SELECT count(*), max(priority) AS top FROM tidings.jobs")
    assert rows == [{"count": 52, "top": 49}]


async def test_many_jobs_serve_no_run(steps):
    async with steps.db.tenant_batch(steps.tenant) as batch:
        with pytest.raises(ValueError, match="a run follows one job"):
            enqueue_many(batch, [NewJob(kind="work", run_id=uuid4())])


@pytest.mark.parametrize("many", [False, True])
async def test_a_viewer_enqueues_nothing(steps, organization, many):
    async def try_it():
        async with steps.db.tenant_batch(organization.acting("viewer")) as batch:
            if many:
                enqueue_many(batch, [NewJob(kind="work")])
            else:
                enqueue(batch, NewJob(kind="work"))

    with pytest.raises(RoleForbidden):
        await try_it()


async def test_tables_are_closed_to_the_service_itself(database_url, organization):
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        for table in ("jobs", "finished_jobs", "runs"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                async with connection.transaction():
                    await connection.execute(f"DELETE FROM tidings.{table}")
        for function in ("close_job", "return_job", "request_cancel", "hint_workers"):
            found = await connection.execute(
                "SELECT has_function_privilege(p.oid, 'EXECUTE') FROM pg_proc p "
                "WHERE pronamespace = 'tidings'::regnamespace AND proname = %s",
                [function],
            )
            assert await found.fetchall() == [(False,)]


async def test_a_job_of_a_run_is_the_one_the_run_follows(steps):
    started = await steps.start_run()
    first = await steps.claim_one()
    async with steps.db.tenant_transaction(steps.tenant) as transaction:
        second = enqueue(transaction, NewJob(kind="work", run_id=started.run_id))

        JobContext(steps.db, first).finish(transaction)
    (run,) = await steps.rows("SELECT status, job_id FROM tidings.runs")
    assert run == {"status": "running", "job_id": second}
    assert (await steps.claim_one()).id == second
