"""Looking at jobs; cancelling and retrying them."""

from datetime import timedelta

import pytest

from tidings.base.errors import RoleForbidden, RowMissing, StateConflict
from tidings.base.ids import uuid7
from tidings.queue.finish import fail_job
from tidings.queue.jobs import cancel_job, get_job, list_jobs, queue_state, retry_job
from tidings.queue.runs import get_run
from tidings.queue.sweep import queue_schedules, sweep_queue


async def dead_letter(steps, **options):
    started = await steps.start_run(**options)
    job = await steps.claim_one()
    assert await fail_job(steps.db, job, "Bad.", may_retry=False) == "failed"
    return started.run_id, job.id


async def test_jobs_are_listed_newest_first_live_and_finished(steps):
    first, second, third = [await steps.enqueue() for _ in range(3)]
    await steps.complete(await steps.claim_one(), '"ok"')
    other = await steps.enqueue("other")
    assert [job.id for job in await list_jobs(steps.db, steps.tenant)] == [
        other,
        third,
        second,
        first,
    ]
    assert [j.id for j in await list_jobs(steps.db, steps.tenant, kind="other")] == [other]
    done = await list_jobs(steps.db, steps.tenant, status="completed")
    assert [(job.id, job.result) for job in done] == [(first, "ok")]
    page = await list_jobs(steps.db, steps.tenant, limit=2)
    page = await list_jobs(steps.db, steps.tenant, limit=2, before=page[-1].id)
    assert [job.id for job in page] == [second, first]


async def test_another_organizations_jobs_do_not_exist(steps, other_organization):
    job_id = await steps.enqueue()
    assert await list_jobs(steps.db, other_organization.tenant) == []
    for each in (job_id, uuid7()):
        for door in (get_job, cancel_job, retry_job):
            with pytest.raises(RowMissing):
                await door(steps.db, other_organization.tenant, each)


async def test_a_dead_letter_is_pending_again_with_all_its_time(steps):
    run_id, job_id = await dead_letter(steps, deadline=timedelta(minutes=10), max_attempts=2)
    await retry_job(steps.db, steps.tenant, job_id)
    assert (await get_run(steps.db, steps.tenant, run_id)).status == "queued"
    job = await steps.claim_one()
    assert (job.id, job.attempt, job.max_attempts) == (job_id, 1, 2)
    assert 540 < job.seconds_left <= 600
    await steps.complete(job)
    assert (await get_run(steps.db, steps.tenant, run_id)).status == "complete"


async def test_only_what_failed_can_be_retried(steps):
    job_id = await steps.enqueue()
    with pytest.raises(StateConflict, match="has not ended"):
        await retry_job(steps.db, steps.tenant, job_id)
    await cancel_job(steps.db, steps.tenant, job_id)
    with pytest.raises(StateConflict, match="only a failed one"):
        await retry_job(steps.db, steps.tenant, job_id)


async def test_a_retry_does_not_make_a_second_job_of_a_key(steps):
    job_id = await steps.enqueue(unique_key="k")
    await fail_job(steps.db, await steps.claim_one(), "Bad.", may_retry=False)
    await steps.enqueue(unique_key="k")
    with pytest.raises(StateConflict, match="same key"):
        await retry_job(steps.db, steps.tenant, job_id)
    assert await steps.status(job_id) == "failed"


async def test_a_waiting_job_is_cancelled_at_once_and_again(steps):
    job_id = await steps.enqueue()
    for _ in range(2):
        assert await cancel_job(steps.db, steps.tenant, job_id) == "cancelled"
    assert await steps.claim() == []


async def test_a_running_job_shows_that_it_is_to_stop(steps):
    job_id = await steps.enqueue()
    await steps.claim_one()
    assert await cancel_job(steps.db, steps.tenant, job_id) == "running"
    assert (await get_job(steps.db, steps.tenant, job_id)).is_cancel_requested


async def test_viewers_look_only(steps, organization):
    _, job_id = await dead_letter(steps)
    viewer = organization.acting("viewer")
    assert (await get_job(steps.db, viewer, job_id)).error == "Bad."
    for door in (cancel_job, retry_job):
        with pytest.raises(RoleForbidden):
            await door(steps.db, viewer, job_id)


async def test_finished_jobs_and_runs_are_swept_at_their_ages(steps, later):
    _, failed = await dead_letter(steps)
    done = [await steps.enqueue() for _ in range(3)]
    for job in await steps.claim(3):
        await steps.complete(job)
    live = await steps.start_run("live.com")
    assert await sweep_queue(steps.db) == 0
    async with later("8 days") as db:
        assert await sweep_queue(db, batch=2) == 3
    assert [await steps.status(job_id) for job_id in done] == [None] * 3
    assert await steps.status(failed) == "failed"
    async with later("31 days") as db:
        assert await sweep_queue(db) == 1
    async with later("91 days") as db:
        (entry,) = queue_schedules(db)
        await entry.run()
    assert [r["id"] for r in await steps.rows("SELECT id FROM tidings.runs")] == [live.run_id]


async def test_old_ticks_and_workers_are_forgotten(steps, later):
    await steps.claim(is_idle=True)
    await steps.rows(
        "INSERT INTO tidings.cron_ticks (name, tick_at, worker, lease_until) "
        "SELECT n, tidings.now() - d, 'w1', tidings.now() FROM unnest(ARRAY['a', 'b']) AS n, "
        "unnest(ARRAY[interval '1 day', '2 days']) AS d RETURNING 1"
    )
    async with later("40 days") as db:
        await sweep_queue(db)
    assert await steps.rows("SELECT FROM tidings.queue_listeners") == []
    assert len(await steps.rows("SELECT FROM tidings.cron_ticks")) == 2


async def test_the_depth_counts_what_waits_or_runs(steps):
    for _ in range(3):
        await steps.enqueue()
    await steps.complete(await steps.claim_one())
    assert (await queue_state(steps.db)).depth == 2
