"""A job ends once, by whoever holds its lease, together with its effects or alone."""

from datetime import timedelta

import pytest

from tidings.base.errors import LeaseLost, RoleForbidden
from tidings.queue.context import JobContext
from tidings.queue.enqueue import NewJob, enqueue, enqueue_many
from tidings.queue.finish import Completion, add_completions, block_job, fail_job, release_jobs
from tidings.queue.held import Held
from tidings.queue.jobs import cancel_job, get_job, retry_job
from tidings.queue.rescue import RescueConfig, Rescuer
from tidings.queue.runs import get_run
from tidings.queue.wake import WakeUp


async def release(db, job):
    return (await release_jobs(db, [job])).get(job.id, "lost")


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
    assert await steps.complete(again) == "completed"


async def test_a_late_result_loses_alone_too(steps, later):
    started = await steps.start_run()
    job = await steps.claim_one()
    async with later("16 s") as db:
        await look(db)
        again = await steps.claim_one(db=db)
    assert await steps.complete(job, '{"by": "first"}') == "lost"
    assert await fail_job(steps.db, job, "No.", may_retry=False) == "lost"
    assert await release(steps.db, job) == "lost"
    assert await steps.complete(again, '{"by": "second"}') == "completed"
    assert (await get_run(steps.db, steps.tenant, started.run_id)).result == {"by": "second"}


async def test_another_organizations_transaction_cannot_finish_it(steps, other_organization):
    await steps.enqueue()
    job = await steps.claim_one()
    with pytest.raises(RoleForbidden):
        async with steps.db.tenant_transaction(other_organization.tenant) as transaction:
            JobContext(steps.db, job).finish(transaction)
    assert await steps.status(job.id) == "running"


async def test_many_completions_are_one_statement_that_names_the_others(steps):
    async with steps.db.tenant_batch(steps.tenant) as batch:
        enqueue_many(batch, [NewJob(kind="work") for _ in range(100)])
    jobs = await steps.claim(100)
    await cancel_job(steps.db, steps.tenant, jobs[1].id)
    assert await steps.complete(jobs[2]) == "completed"
    done = [Completion(Held(job, JobContext(steps.db, job), 0, 0), '"ok"') for job in jobs]
    before = steps.db.trips.total
    async with steps.db.system_batch() as batch:
        others = add_completions(batch, done)
    assert steps.db.trips.total - before == 1
    assert {row["id"]: row["status"] for row in others.rows} == {
        jobs[1].id: "cancelled",
        jobs[2].id: "lost",
    }
    assert await steps.rows("SELECT FROM tidings.jobs") == []
    found = await get_job(steps.db, steps.tenant, jobs[0].id)
    assert (found.status, found.result) == ("completed", "ok")


async def test_a_blocked_job_waits_for_its_time_with_all_its_attempts(steps, later):
    started = await steps.start_run(max_attempts=1)
    job = await steps.claim_one()
    assert await block_job(steps.db, job, "The budget is used up.", delay=3600) == "blocked"
    found = await get_job(steps.db, steps.tenant, job.id)
    assert (found.status, found.error, found.attempt) == ("blocked", "The budget is used up.", 0)
    assert (await get_run(steps.db, steps.tenant, started.run_id)).status == "queued"
    assert await steps.claim() == []
    assert await block_job(steps.db, job, "Again.", delay=1) == "lost"
    async with later("3601 s") as db:
        again = await steps.claim_one(db=db)
    assert (again.id, again.attempt) == (job.id, 1)


async def test_a_blocked_job_is_tried_now_when_somebody_says_so(steps):
    await steps.enqueue()
    job = await steps.claim_one()
    await block_job(steps.db, job, "The budget is used up.", delay=3600)
    await retry_job(steps.db, steps.tenant, job.id)
    assert (await steps.claim_one()).id == job.id


async def test_a_job_whose_deadline_comes_before_the_budget_fails_with_the_reason(steps):
    started = await steps.start_run(deadline=timedelta(minutes=1))
    job = await steps.claim_one()
    assert await block_job(steps.db, job, "The budget is used up.", delay=61) == "failed"
    run = await get_run(steps.db, steps.tenant, started.run_id)
    assert (run.status, run.error) == ("error", "The budget is used up.")


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
    assert await release(steps.db, job) == "pending"
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
        status = await steps.complete(job, '"late"')
    elif end == "fail":
        status = await fail_job(steps.db, job, "Oh.", may_retry=True)
    else:
        status = await release(steps.db, job)
    assert status == "cancelled"
    run = await get_run(steps.db, steps.tenant, started.run_id)
    assert (run.status, run.result, run.error) == ("cancelled", None, None)
