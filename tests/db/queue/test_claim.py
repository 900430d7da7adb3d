"""Each due job is claimed once, in order, by a lease."""

import asyncio
from collections import Counter
from contextlib import aclosing
from datetime import timedelta

import psycopg

from tidings.base import clock
from tidings.queue.claim import claim_jobs
from tidings.queue.enqueue import NewJob, enqueue_many
from tidings.queue.wake import CHANNEL


async def test_highest_priority_first_then_oldest(steps):
    low, high, second = (
        await steps.enqueue(priority=0),
        await steps.enqueue(priority=5),
        await steps.enqueue(priority=5),
    )
    assert [job.id for job in await steps.claim()] == [high, second, low]


async def test_a_claim_takes_no_more_than_asked_nor_other_kinds_nor_what_is_not_due(steps):
    await steps.enqueue("other")
    await steps.enqueue(run_at=clock.now() + timedelta(minutes=1))
    due = [await steps.enqueue() for _ in range(3)]
    assert [job.id for job in await steps.claim(2)] == due[:2]
    assert [job.id for job in await steps.claim(2)] == due[2:]
    assert await steps.claim(2) == []


async def test_what_is_due_later_is_claimed_later(steps, later):
    job_id = await steps.enqueue(run_at=clock.now() + timedelta(minutes=1))
    async with later("61 s") as db:
        assert [job.id for job in await steps.claim(db=db)] == [job_id]


async def test_a_claimed_job_says_who_it_runs_for_and_until_when(steps):
    job_id = await steps.enqueue(deadline=timedelta(minutes=10), args={"a": 1})
    job = await steps.claim_one()
    assert (job.id, job.args, job.attempt, job.max_attempts) == (job_id, {"a": 1}, 1, 5)
    assert job.tenant == steps.tenant.as_service()
    assert 540 < job.seconds_left <= 600
    (row,) = await steps.rows("SELECT * FROM tidings.jobs")
    assert (row["status"], row["worker"], row["lease_token"]) == ("running", "w1", job.lease_token)
    assert row["lease_until"] - row["claimed_at"] == timedelta(seconds=15)


async def test_a_job_past_its_deadline_is_not_claimed(steps, later):
    await steps.enqueue(deadline=timedelta(seconds=10))
    async with later("11 s") as db:
        assert await steps.claim(db=db) == []


async def test_many_claimers_share_the_jobs_without_waiting_for_each_other(steps):
    async with steps.db.tenant_batch(steps.tenant) as batch:
        ids = enqueue_many(batch, [NewJob(kind="work") for _ in range(300)])

    async def drain(worker):
        taken = []
        while jobs := await claim_jobs(steps.db, ["work"], 7, lease=15, worker=worker):
            taken += [job.id for job in jobs]
        return taken

    taken = await asyncio.gather(*[drain(f"w{n}") for n in range(10)])
    assert Counter(job_id for each in taken for job_id in each) == Counter(ids)


async def test_a_locked_job_is_passed_over(steps, superuser_url):
    first, second = await steps.enqueue(), await steps.enqueue()
    async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
        await connection.execute("SELECT FROM tidings.jobs WHERE id = %s FOR UPDATE", [first])
        assert [job.id for job in await steps.claim()] == [second]


async def test_jobs_of_all_organizations_are_claimed(steps, other_organization):
    mine = await steps.enqueue()
    async with steps.db.tenant_batch(other_organization.tenant) as batch:
        (theirs,) = enqueue_many(batch, [NewJob(kind="work")])
    jobs = await steps.claim()
    assert {(job.organization_id, job.id) for job in jobs} == {
        (steps.tenant.organization_id, mine),
        (other_organization.organization_id, theirs),
    }


async def hints(listening, url):
    """What was said so far: notices come in the order of the commits, so up to one of our own."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("SELECT pg_notify(%s, 'so far')", [CHANNEL])
    said = []
    async with asyncio.timeout(20), aclosing(listening.notifies()) as notices:
        async for notice in notices:
            if notice.payload == "so far":
                break
            said.append(notice.payload)
    return said


async def test_one_hint_per_commit_and_only_while_a_worker_waits(steps, database_url):
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute(f"LISTEN {CHANNEL}")

        await steps.enqueue()
        assert await hints(connection, database_url) == []
        # The worker says that it waits from now on.
        assert len(await steps.claim(2, is_idle=True)) == 1
        async with steps.db.tenant_batch(steps.tenant) as batch:
            enqueue_many(batch, [NewJob(kind="work") for _ in range(3)])
            enqueue_many(batch, [NewJob(kind="work") for _ in range(3)])
        assert await hints(connection, database_url) == ["enqueued"]
        assert len(await steps.claim(2, is_idle=False)) == 2
        await steps.enqueue()
        assert await hints(connection, database_url) == []


async def test_a_worker_not_seen_for_a_minute_gets_no_hints(steps, later, database_url):
    await steps.claim(is_idle=True)
    async with (
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection,
        later("2 min") as db,
    ):
        await connection.execute(f"LISTEN {CHANNEL}")
        async with db.tenant_batch(steps.tenant) as batch:
            enqueue_many(batch, [NewJob(kind="work")])
        assert await hints(connection, database_url) == []
