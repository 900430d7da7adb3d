"""Concurrency keys: of the jobs that share one, only so many run at once, and none is forgotten."""

import asyncio

import psycopg
import pytest

from tidings.base.errors import StateConflict
from tidings.queue.context import JobContext
from tidings.queue.enqueue import NewJob, enqueue_many
from tidings.queue.finish import fail_job, release_jobs
from tidings.queue.jobs import cancel_job, get_job, retry_job
from tidings.queue.rescue import RescueConfig, Rescuer
from tidings.queue.wake import WakeUp


async def keyed(steps, n, limit=1, key="mailbox"):
    return [await steps.enqueue(concurrency_key=key, concurrency_limit=limit) for _ in range(n)]


async def test_one_at_a_time_in_order(steps):
    first, second, third = await keyed(steps, 3)
    plain = await steps.enqueue()
    jobs = await steps.claim()
    assert {job.id for job in jobs} == {first, plain}
    waiting = await get_job(steps.db, steps.tenant, second)
    assert (waiting.status, waiting.error) == (
        "blocked",
        "It waits for another job with its concurrency key.",
    )
    assert await steps.claim() == []
    (running,) = [job for job in jobs if job.id == first]
    await steps.complete(running)
    assert [job.id for job in await steps.claim()] == [second]
    assert await steps.status(third) == "blocked"


async def test_as_many_as_the_limit(steps):
    ids = await keyed(steps, 5, limit=3)
    jobs = await steps.claim()
    assert [job.id for job in jobs] == ids[:3]
    await steps.complete(jobs[1])
    assert [job.id for job in await steps.claim()] == ids[3:4]


async def test_a_key_is_of_one_organization(steps, other_organization):
    await keyed(steps, 1)
    async with steps.db.tenant_batch(other_organization.tenant) as batch:
        enqueue_many(batch, [NewJob(kind="work", concurrency_key="mailbox")])
    assert len(await steps.claim()) == 2


@pytest.mark.parametrize("end", ["complete", "own", "fail", "release", "cancel", "retry later"])
async def test_every_end_lets_the_next_one_go_on(steps, end):
    first, second = await keyed(steps, 2)
    (job,) = await steps.claim()
    if end == "complete":
        await steps.complete(job)
    elif end == "own":
        async with steps.db.tenant_transaction(job.tenant) as transaction:
            JobContext(steps.db, job).finish(transaction)
    elif end == "fail":
        await fail_job(steps.db, job, "No.", may_retry=False)
    elif end == "retry later":
        await fail_job(steps.db, job, "Later.", may_retry=True, delay=600)
    elif end == "cancel":
        await cancel_job(steps.db, steps.tenant, first)
        assert await steps.claim() == []
        await fail_job(steps.db, job, "Cancelled.", may_retry=False)
    else:
        await release_jobs(steps.db, [job])
    (after,) = await steps.claim()
    # A released one has its place back.
    assert after.id == (first if end == "release" else second)


async def test_a_rescued_job_leaves_its_key_to_one_of_them(steps, later):
    await keyed(steps, 2)
    await steps.claim()
    async with later("20 s") as db:
        await Rescuer(db, RescueConfig(), WakeUp()).look()
        assert len(await steps.claim(db=db)) == 1


async def test_cancelling_one_that_was_let_in_lets_the_next_in(steps):
    first, second = await keyed(steps, 2)
    # A claim of nothing lets the first in without taking it.
    assert await steps.claim(1, kind="other") == []
    assert await cancel_job(steps.db, steps.tenant, first) == "cancelled"
    assert [job.id for job in await steps.claim()] == [second]


async def test_who_waits_for_a_key_cannot_be_hurried(steps):
    _, second = await keyed(steps, 2)
    await steps.claim()
    with pytest.raises(StateConflict, match="not ended"):
        await retry_job(steps.db, steps.tenant, second)


async def test_a_dead_letter_with_a_key_waits_for_room_again(steps):
    first, second = await keyed(steps, 2)
    await fail_job(steps.db, await steps.claim_one(), "No.", may_retry=False)
    await retry_job(steps.db, steps.tenant, first)
    (job,) = await steps.claim()
    assert job.id == second
    await steps.complete(job)
    assert [each.id for each in await steps.claim()] == [first]


async def test_many_workers_never_run_more_than_the_limit(steps):
    async with steps.db.tenant_batch(steps.tenant) as batch:
        enqueue_many(
            batch,
            [
                NewJob(kind="work", concurrency_key=f"k{n % 3}", concurrency_limit=2)
                for n in range(60)
            ],
        )
    running = {f"k{n}": 0 for n in range(3)}
    done = 0

    async def worker():
        nonlocal done
        while done < 60:
            for job in await steps.claim(4):
                (row,) = await steps.rows(
                    "SELECT concurrency_key AS key FROM tidings.jobs WHERE id = %(id)s",
                    {"id": job.id},
                )
                running[row["key"]] += 1
                assert running[row["key"]] <= 2
                await asyncio.sleep(0)
                running[row["key"]] -= 1
                assert await steps.complete(job) == "completed"
                done += 1

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(worker())
    assert done == 60
    assert await steps.rows("SELECT FROM tidings.jobs") == []


async def test_a_claim_never_waits_for_a_key(steps, superuser_url):
    (job_id,) = await keyed(steps, 1)
    plain = await steps.enqueue()
    lock = (
        "SELECT pg_advisory_xact_lock(hashtextextended(concat_ws('/', 'job key', "
        "%s::uuid, 'mailbox'), 0))"
    )
    async with await psycopg.AsyncConnection.connect(superuser_url) as holder:
        await holder.execute(lock, [steps.tenant.organization_id])
        jobs = await asyncio.wait_for(steps.claim(), 20)
        assert [job.id for job in jobs] == [plain]
    assert [job.id for job in await steps.claim()] == [job_id]


async def test_a_job_that_nobody_let_in_is_found(steps, superuser_url):
    first, second = await keyed(steps, 2)
    (job,) = await steps.claim()
    async with await psycopg.AsyncConnection.connect(superuser_url) as admin:
        # As if who ended it had been rolled back behind somebody who passed the second by.
        await admin.execute("DELETE FROM tidings.jobs WHERE id = %s", [job.id])
    assert job.id == first
    assert await steps.claim() == []
    await Rescuer(steps.db, RescueConfig(), WakeUp()).look()
    assert [job.id for job in await steps.claim()] == [second]


async def test_a_dead_letter_keeps_its_limit(steps):
    ids = await keyed(steps, 3, limit=2)
    first, other = await steps.claim()
    await fail_job(steps.db, first, "No.", may_retry=False)
    (third,) = await steps.claim()
    assert {other.id, third.id} == set(ids[1:])
    await steps.complete(other)
    await retry_job(steps.db, steps.tenant, first.id)
    assert [job.id for job in await steps.claim()] == [first.id]
