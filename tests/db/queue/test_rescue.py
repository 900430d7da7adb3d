"""What a dead worker held runs again; heartbeats keep what a live one holds."""

import asyncio
from datetime import timedelta

import psycopg
import pytest

from tidings.base.errors import SettingInvalid
from tidings.queue.claim import ClaimConfig
from tidings.queue.context import JobContext
from tidings.queue.decide import DEADLINE_PASSED
from tidings.queue.enqueue import NewJob, enqueue_many
from tidings.queue.heartbeat import Heartbeat, HeartbeatConfig
from tidings.queue.held import Held, HeldJobs
from tidings.queue.jobs import cancel_job, get_job
from tidings.queue.rescue import RescueConfig, Rescuer
from tidings.queue.runs import get_run
from tidings.queue.wake import WakeUp


async def look(db, batch=100):
    wake = WakeUp()
    await Rescuer(db, RescueConfig(batch=batch), wake).look()
    return wake.jobs.is_set()


def hold(db, *jobs):
    held_jobs = HeldJobs()
    for job in jobs:
        now = asyncio.get_running_loop().time()
        held_jobs.add(Held(job, JobContext(db, job), now, now + 15))
    return held_jobs


def heart(db, held_jobs):
    return Heartbeat(db, HeartbeatConfig(), held_jobs, WakeUp())


async def test_a_lease_that_ended_makes_the_job_pending_within_five_seconds(steps, later):
    started = await steps.start_run()
    job = await steps.claim_one()
    assert not await look(steps.db)
    assert await steps.status(job.id) == "running"
    # Rescuers look every second (RescueConfig refuses more than four).
    async with later("16 s") as db:
        assert await look(db)
        assert (await get_run(db, steps.tenant, started.run_id)).status == "queued"
        again = await steps.claim_one(db=db)
    assert (again.id, again.attempt) == (job.id, 2)
    assert (await get_run(steps.db, steps.tenant, started.run_id)).status == "running"
    with pytest.raises(SettingInvalid):
        RescueConfig(interval=5)
    assert RescueConfig().interval + ClaimConfig().poll_most < 5


async def test_a_heartbeat_keeps_the_lease(steps, later):
    await steps.enqueue()
    job = await steps.claim_one()
    held_jobs = hold(steps.db, job)
    async with later("14 s") as db:
        await heart(db, held_jobs).beat()
    # Read instead of waited for: close to its end, a look might come behind it.
    (row,) = await steps.rows("SELECT lease_until - claimed_at AS held_for FROM tidings.jobs")
    assert row["held_for"] >= timedelta(seconds=14 + 15)
    async with later("16 s") as db:
        assert not await look(db)
        assert await steps.status(job.id) == "running"
    async with later("30 s") as db:
        assert await look(db)
    (held,) = held_jobs
    assert held.reason is None


async def test_a_heartbeat_hears_what_was_lost_and_what_was_cancelled(steps, later):
    async with steps.db.tenant_batch(steps.tenant) as batch:
        enqueue_many(batch, [NewJob(kind="work") for _ in range(3)])
    lost, cancelled, kept = await steps.claim(3)
    await cancel_job(steps.db, steps.tenant, cancelled.id)
    held_jobs = hold(steps.db, lost, cancelled, kept)
    await steps.rows(
        "UPDATE tidings.jobs SET lease_token = gen_random_uuid() WHERE id = %(id)s RETURNING id",
        {"id": lost.id},
    )
    await heart(steps.db, held_jobs).beat()
    assert {held.job.id: held.reason for held in held_jobs} == {
        lost.id: "lost",
        cancelled.id: "cancelled",
        kept.id: None,
    }
    assert [held.context.is_cancelled for held in held_jobs if held.job is cancelled] == [True]


async def test_a_job_that_finishes_in_a_long_transaction_holds_up_no_heartbeat(steps, later):
    await steps.enqueue()
    await steps.enqueue()
    finishing, other = await steps.claim(2)
    held_jobs = hold(steps.db, finishing, other)
    async with steps.db.tenant_transaction(finishing.tenant) as transaction:
        JobContext(steps.db, finishing).finish(transaction)
        await transaction._flush([])
        async with later("14 s") as db:
            await asyncio.wait_for(heart(db, held_jobs).beat(), 20)
        async with later("16 s") as db:
            # The other's lease was renewed; the finishing one is locked, and not taken either.
            assert not await asyncio.wait_for(look(db), 20)
    assert [held.reason for held in held_jobs] == [None, None]
    assert await steps.status(finishing.id) == "completed"
    assert await steps.status(other.id) == "running"


async def test_a_job_its_own_transaction_just_ended_is_not_lost(steps):
    await steps.enqueue()
    job = await steps.claim_one()
    held_jobs = hold(steps.db, job)
    (held,) = held_jobs
    async with steps.db.tenant_batch(job.tenant) as batch:
        held.context.finish(batch)
    await heart(steps.db, held_jobs).beat()
    assert held.reason is None


async def test_without_the_database_leases_count_as_lost_when_they_are_over(steps):
    await steps.enqueue()
    job = await steps.claim_one()
    held_jobs = hold(steps.db, job)
    (held,) = held_jobs
    await steps.db.close()
    with pytest.raises(Exception, match=r"\w"):
        await heart(steps.db, held_jobs).beat()
    assert held.reason is None
    held.leased_until = 0
    with pytest.raises(Exception, match=r"\w"):
        await heart(steps.db, held_jobs).beat()
    assert held.reason == "lost"


async def test_attempts_used_up_by_dying_workers_make_a_dead_letter(steps, later):
    started = await steps.start_run(max_attempts=1)
    await steps.claim_one()
    async with later("16 s") as db:
        assert not await look(db)
    run = await get_run(steps.db, steps.tenant, started.run_id)
    assert run.status == "error"
    assert run.error == "The worker stopped while it ran this, 1 times; it is not tried again."


async def test_a_dead_workers_job_past_its_deadline_fails(steps, later):
    started = await steps.start_run(deadline=timedelta(seconds=10))
    await steps.claim_one()
    async with later("16 s") as db:
        await look(db)
    run = await get_run(steps.db, steps.tenant, started.run_id)
    assert (run.status, run.error) == ("error", DEADLINE_PASSED)


async def test_a_waiting_job_past_its_deadline_fails_without_a_worker(steps, later):
    started = await steps.start_run(deadline=timedelta(seconds=10))
    async with later("11 s") as db:
        await look(db)
    run = await get_run(steps.db, steps.tenant, started.run_id)
    assert (run.status, run.error, run.started_at) == ("error", DEADLINE_PASSED, None)


async def test_a_worker_that_never_stops_a_job_loses_it_after_its_deadline(steps, later):
    await steps.enqueue(deadline=timedelta(minutes=10))
    job = await steps.claim_one(lease=3600)
    async with later("605 s") as db:
        await look(db)
        assert await steps.status(job.id) == "running"
    async with later("631 s") as db:
        await look(db)
    assert (await get_job(steps.db, steps.tenant, job.id)).error == DEADLINE_PASSED


async def test_a_dead_workers_cancelled_job_is_cancelled(steps, later):
    started = await steps.start_run()
    job = await steps.claim_one()
    await cancel_job(steps.db, steps.tenant, job.id)
    async with later("16 s") as db:
        await look(db)
    assert (await get_run(steps.db, steps.tenant, started.run_id)).status == "cancelled"


async def test_rescue_goes_on_while_batches_are_full(steps, later):
    async with steps.db.tenant_batch(steps.tenant) as batch:
        enqueue_many(batch, [NewJob(kind="work") for _ in range(5)])
    await steps.claim(5)
    async with later("16 s") as db:
        await look(db, batch=2)
    rows = await steps.rows("SELECT status, count(*) FROM tidings.jobs GROUP BY 1")
    assert rows == [{"status": "pending", "count": 5}]


async def test_rescuers_do_not_wait_for_locked_rows(steps, later, superuser_url):
    await steps.enqueue()
    job = await steps.claim_one()
    async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
        await connection.execute("SELECT FROM tidings.jobs FOR UPDATE")
        async with later("16 s") as db:
            await asyncio.wait_for(look(db), 20)
    assert await steps.status(job.id) == "running"
