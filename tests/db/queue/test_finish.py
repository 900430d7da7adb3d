"""A job ends once, by whoever holds its lease, together with its effects or alone."""

import asyncio
from datetime import timedelta

import pytest

from tidings.base.errors import LeaseLost, RoleForbidden
from tidings.queue.context import JobContext
from tidings.queue.enqueue import NewJob, enqueue, enqueue_many
from tidings.queue.finish import Finisher, fail_job, release_job
from tidings.queue.jobs import cancel_job, get_job
from tidings.queue.rescue import RescueConfig, Rescuer
from tidings.queue.runs import get_run
from tidings.queue.wake import WakeUp


async def look(db):
    await Rescuer(db, RescueConfig(), WakeUp()).look()


async def test_completion_and_effects_commit_together(steps):
    await steps.enqueue()
    job = await steps.claim_one()
    async with steps.db.tenant_transaction(job.tenant) as transaction:
        JobContext(steps.db, job).finish(transaction, {"made": 1})
        effect = enqueue(transaction, NewJob(kind="effect"))
    found = await get_job(steps.db, steps.tenant, job.id)
    assert (found.status, found.result, found.worker) == ("completed", {"made": 1}, "w1")
    assert await steps.status(effect) == "pending"


async def test_effects_without_the_lease_are_undone(steps, later):
    await steps.enqueue()
    job = await steps.claim_one()
    async with later("16 s") as db:
        await look(db)
        again = await steps.claim_one(db=db)
    assert again.id == job.id
    effects = []

    async def late():
        async with steps.db.tenant_transaction(job.tenant) as transaction:
            effects.append(enqueue(transaction, NewJob(kind="effect")))
            JobContext(steps.db, job).finish(transaction)

    with pytest.raises(LeaseLost):
        await late()
    assert await steps.status(effects[0]) is None
    assert await steps.status(job.id) == "running"
    assert await Finisher(steps.db).complete(again, None) == "completed"


async def test_a_late_result_loses_alone_too(steps, later):
    started = await steps.start_run()
    job = await steps.claim_one()
    async with later("16 s") as db:
        await look(db)
        again = await steps.claim_one(db=db)
    finisher = Finisher(steps.db)
    assert await finisher.complete(job, '{"by": "first"}') == "lost"
    assert await fail_job(steps.db, job, "No.", may_retry=False) == "lost"
    assert await release_job(steps.db, job) == "lost"
    assert await finisher.complete(again, '{"by": "second"}') == "completed"
    assert (await get_run(steps.db, steps.tenant, started.run_id)).result == {"by": "second"}


async def test_another_organizations_transaction_cannot_finish_it(steps, other_organization):
    await steps.enqueue()
    job = await steps.claim_one()
    with pytest.raises(RoleForbidden):
        async with steps.db.tenant_transaction(other_organization.tenant) as transaction:
            JobContext(steps.db, job).finish(transaction)
    assert await steps.status(job.id) == "running"


async def test_completions_that_arrive_together_share_statements(steps):
    async with steps.db.tenant_batch(steps.tenant) as batch:
        enqueue_many(batch, [NewJob(kind="work") for _ in range(100)])
    jobs = await steps.claim(100)
    finisher = Finisher(steps.db)
    before = steps.db.trips.total
    statuses = await asyncio.gather(*[finisher.complete(job, '"ok"') for job in jobs])
    assert set(statuses) == {"completed"}
    assert steps.db.trips.total - before <= 2
    (row,) = await steps.rows("SELECT count(*) FROM tidings.jobs")
    assert row["count"] == 0
    assert await finisher.complete(jobs[0], None) == "lost"


async def test_a_batch_that_fails_fails_each_of_its_completions(steps):
    await steps.enqueue()
    job = await steps.claim_one()
    finisher = Finisher(steps.db)
    with pytest.raises(Exception, match="json"):
        await finisher.complete(job, "not json")
    assert await finisher.complete(job, None) == "completed"


async def test_a_failed_try_is_pending_again_until_its_attempts_are_used_up(steps, later):
    job_id = await steps.enqueue(max_attempts=2)
    job = await steps.claim_one()
    status = await fail_job(steps.db, job, "Not yet.", may_retry=True, delay=60)
    assert status == "pending"
    found = await get_job(steps.db, steps.tenant, job_id)
    assert (found.status, found.error, found.attempt) == ("pending", "Not yet.", 1)
    assert await steps.claim() == []
    async with later("61 s") as db:
        again = await steps.claim_one(db=db)
        assert again.attempt == 2
        assert await fail_job(db, again, "Never.", may_retry=True, delay=60) == "failed"
    found = await get_job(steps.db, steps.tenant, job_id)
    assert (found.status, found.error, found.attempt) == ("failed", "Never.", 2)


async def test_an_error_that_does_not_pass_is_final(steps):
    await steps.enqueue()
    job = await steps.claim_one()
    assert await fail_job(steps.db, job, "Bad input.", may_retry=False) == "failed"


async def test_no_retry_is_planned_past_the_deadline(steps):
    started = await steps.start_run(deadline=timedelta(minutes=1))
    job = await steps.claim_one()
    status = await fail_job(steps.db, job, "OpenAI API error: 429.", may_retry=True, delay=61)
    assert status == "failed"
    run = await get_run(steps.db, steps.tenant, started.run_id)
    assert (run.status, run.error) == ("error", "OpenAI API error: 429.")


async def test_a_released_job_has_its_attempt_back(steps):
    started = await steps.start_run(max_attempts=1)
    job = await steps.claim_one()
    assert await release_job(steps.db, job) == "pending"
    assert (await get_run(steps.db, steps.tenant, started.run_id)).status == "queued"
    again = await steps.claim_one()
    assert (again.id, again.attempt) == (job.id, 1)
    assert again.lease_token != job.lease_token


@pytest.mark.parametrize("end", ["complete", "fail", "release"])
async def test_a_cancelled_job_can_only_end_as_cancelled(steps, end):
    started = await steps.start_run()
    job = await steps.claim_one()
    assert await cancel_job(steps.db, steps.tenant, job.id) == "running"
    with pytest.raises(LeaseLost, match="cancelled"):
        async with steps.db.tenant_transaction(job.tenant) as transaction:
            JobContext(steps.db, job).finish(transaction)
    if end == "complete":
        status = await Finisher(steps.db).complete(job, '"late"')
    elif end == "fail":
        status = await fail_job(steps.db, job, "Oh.", may_retry=True)
    else:
        status = await release_job(steps.db, job)
    assert status == "cancelled"
    run = await get_run(steps.db, steps.tenant, started.run_id)
    assert (run.status, run.result, run.error) == ("cancelled", None, None)
