"""The worker whole: it finds jobs, runs them, and ends each one way."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from tidings.base import clock
from tidings.base.errors import (
    BudgetExceeded,
    DatabaseBusy,
    InputInvalid,
    ProviderFailed,
    SettingInvalid,
)
from tidings.queue import worker as module
from tidings.queue.claim import ClaimConfig
from tidings.queue.decide import DEADLINE_PASSED, UNEXPECTED
from tidings.queue.enqueue import NewJob, enqueue, enqueue_many
from tidings.queue.exchange import Exchange
from tidings.queue.heartbeat import HeartbeatConfig
from tidings.queue.jobs import cancel_job, get_job
from tidings.queue.rescue import RescueConfig
from tidings.queue.runs import cancel_run, get_run
from tidings.queue.wake import WakeUp
from tidings.queue.worker import Worker, WorkerConfig

PATIENCE = 20


def config(**changes):
    return WorkerConfig(
        **{
            "name": "w1",
            "claim": ClaimConfig(slots=4),
            "heartbeat": HeartbeatConfig(interval=0.1),
            "rescue": RescueConfig(interval=0.1),
            "grace": 5,
            **changes,
        }
    )


@asynccontextmanager
async def working(db, handlers, wake=None, **changes):
    worker = Worker(db, handlers, config(**changes), wake)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await asyncio.wait_for(task, PATIENCE)


async def ends(steps, job_id):
    """The job, once it has ended; asks again and again instead of sleeping a fixed time."""
    async with asyncio.timeout(PATIENCE):
        while (job := await get_job(steps.db, steps.tenant, job_id)).finished_at is None:
            pass
    return job


async def test_a_job_is_done_and_its_answer_kept(steps):
    async def handler(context, args):
        assert context.tenant == steps.tenant.as_service()
        assert (context.attempt, context.run_id, context.deadline) == (1, None, None)
        return {"doubled": args["n"] * 2}

    job_id = await steps.enqueue(args={"n": 21})
    async with working(steps.db, {"work": handler}) as worker:
        job = await ends(steps, job_id)
    assert (job.status, job.result) == ("completed", {"doubled": 42})
    assert worker.running == 0


async def test_more_jobs_than_slots_are_all_done_and_never_more_at_once(steps):
    at_once = most = 0
    full = asyncio.Event()

    async def handler(context, args):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        if at_once == 4:
            full.set()
        # The first of them stay until the slots are full.
        await asyncio.wait_for(full.wait(), PATIENCE)
        await context.progress("one", 0, 1)
        at_once -= 1

    ids = [await steps.enqueue() for _ in range(30)]
    async with working(steps.db, {"work": handler}):
        for job_id in ids:
            assert (await ends(steps, job_id)).status == "completed"
    assert most == 4


async def test_a_second_turn_is_under_way_while_there_is_more(steps, monkeypatch):
    """Never a third, and none of them takes what another has."""
    turns = most = 0
    send = Exchange._send

    async def counted(exchange, done, asked):
        nonlocal turns, most
        turns += 1
        most = max(most, turns)
        try:
            return await send(exchange, done, asked)
        finally:
            turns -= 1

    async def handler(context, args):
        handled.append(args["n"])

    handled = []
    monkeypatch.setattr(Exchange, "_send", counted)
    async with steps.db.tenant_batch(steps.tenant) as batch:
        enqueue_many(batch, [NewJob(kind="work", args={"n": n}) for n in range(300)])
    claim = ClaimConfig(slots=40, batch=10)
    worker = Worker(steps.db, {"work": handler}, config(claim=claim))
    await asyncio.wait_for(worker.run_until_empty(), PATIENCE)
    assert sorted(handled) == list(range(300))
    assert most == 2
    rows = await steps.rows("SELECT DISTINCT status, attempt FROM tidings.finished_jobs")
    assert rows == [{"status": "completed", "attempt": 1}]


async def test_a_handler_completes_in_its_own_transaction(steps):
    async def handler(context, args):
        async with steps.db.tenant_transaction(context.tenant) as transaction:
            context.finish(transaction, "made")

    started = await steps.start_run()
    async with working(steps.db, {"work": handler}):
        async with asyncio.timeout(PATIENCE):
            while (run := await get_run(steps.db, steps.tenant, started.run_id)).is_live:
                pass
    assert (run.status, run.result) == ("complete", "made")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InputInvalid("The domain is not valid."), "The domain is not valid."),
        (ProviderFailed("OpenAI API error: 500."), "OpenAI API error: 500."),
        (KeyError("internal detail"), UNEXPECTED),
    ],
)
async def test_what_a_handler_raises_becomes_a_sentence(steps, error, said):
    async def handler(context, args):
        raise error

    job_id = await steps.enqueue(max_attempts=1)
    async with working(steps.db, {"work": handler}):
        job = await ends(steps, job_id)
    assert (job.status, job.error) == ("failed", said)


async def test_an_error_that_passes_is_tried_again(steps):
    tries = []

    async def handler(context, args):
        tries.append(context.attempt)
        if context.attempt == 1:
            raise ProviderFailed(retry_after=0.01)

    job_id = await steps.enqueue()
    async with working(steps.db, {"work": handler}):
        assert (await ends(steps, job_id)).status == "completed"
    assert tries == [1, 2]


async def test_a_handler_is_stopped_at_its_deadline(steps):
    async def handler(context, args):
        await asyncio.Event().wait()

    started = await steps.start_run(deadline=timedelta(milliseconds=300))
    async with working(steps.db, {"work": handler}):
        async with asyncio.timeout(PATIENCE):
            while (run := await get_run(steps.db, steps.tenant, started.run_id)).is_live:
                pass
    assert (run.status, run.error) == ("error", DEADLINE_PASSED)


async def test_a_running_job_is_stopped_by_a_heartbeat_when_cancelled(steps):
    reached, interrupted = asyncio.Event(), asyncio.Event()

    async def handler(context, args):
        reached.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            interrupted.set()
            raise

    started = await steps.start_run()
    async with working(steps.db, {"work": handler}):
        await asyncio.wait_for(reached.wait(), PATIENCE)
        await cancel_run(steps.db, steps.tenant, started.run_id)
        await asyncio.wait_for(interrupted.wait(), PATIENCE)
        async with asyncio.timeout(PATIENCE):
            while (run := await get_run(steps.db, steps.tenant, started.run_id)).is_live:
                pass
    assert run.status == "cancelled"


async def test_a_cancel_is_heard_at_once_by_who_listens(steps, database_url):
    reached = asyncio.Event()

    async def handler(context, args):
        reached.set()
        await asyncio.Event().wait()

    job_id = await steps.enqueue()
    lazy = HeartbeatConfig(interval=600, lease=1500)
    async with working(
        steps.db,
        {"work": handler},
        WakeUp(database_url),
        heartbeat=lazy,
        claim=ClaimConfig(lease=1500),
    ):
        await asyncio.wait_for(reached.wait(), PATIENCE)
        await cancel_job(steps.db, steps.tenant, job_id)
        assert (await ends(steps, job_id)).status == "cancelled"


async def test_progress_tells_the_handler_to_stop(steps):
    reached, cancelled = asyncio.Event(), asyncio.Event()

    async def handler(context, args):
        reached.set()
        await cancelled.wait()
        await context.progress("read", 1, 2)
        raise AssertionError("not reached")

    job_id = await steps.enqueue()
    lazy = HeartbeatConfig(interval=600, lease=1500)
    async with working(steps.db, {"work": handler}, heartbeat=lazy, claim=ClaimConfig(lease=1500)):
        await asyncio.wait_for(reached.wait(), PATIENCE)
        await cancel_job(steps.db, steps.tenant, job_id)
        cancelled.set()
        assert (await ends(steps, job_id)).status == "cancelled"


async def test_a_listening_worker_is_woken_without_polling(steps, database_url):
    wake = WakeUp(database_url)

    async def handler(context, args):
        return "heard"

    async with working(
        steps.db,
        {"work": handler},
        wake,
        claim=ClaimConfig(poll_least=600, poll_most=600),
    ):
        async with asyncio.timeout(PATIENCE):
            while not await steps.rows("SELECT FROM tidings.queue_listeners WHERE idle"):
                pass
        job_id = await steps.enqueue()
        assert (await ends(steps, job_id)).status == "completed"


async def test_shutdown_lets_running_jobs_finish(steps):
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def handler(context, args):
        reached.set()
        await go_on.wait()
        return "in time"

    job_id = await steps.enqueue()
    async with working(steps.db, {"work": handler}, grace=PATIENCE) as worker:
        await asyncio.wait_for(reached.wait(), PATIENCE)
        worker.stop()
        go_on.set()
    job = await get_job(steps.db, steps.tenant, job_id)
    assert (job.status, job.result) == ("completed", "in time")


async def test_shutdown_gives_back_what_does_not_finish(steps):
    reached = asyncio.Event()

    async def handler(context, args):
        reached.set()
        await asyncio.Event().wait()

    ids = [await steps.enqueue() for _ in range(6)]
    async with working(steps.db, {"work": handler}, grace=0):
        await asyncio.wait_for(reached.wait(), PATIENCE)
    jobs = [await get_job(steps.db, steps.tenant, job_id) for job_id in ids]
    assert {(job.status, job.attempt) for job in jobs} == {("pending", 0)}


async def test_a_worker_takes_over_from_one_that_died(steps, later):
    job_id = await steps.enqueue()
    await steps.claim_one()

    async def handler(context, args):
        return context.attempt

    async with later("16 s") as db, working(db, {"work": handler}):
        job = await ends(steps, job_id)
    assert (job.status, job.result) == ("completed", 2)


async def test_the_end_is_said_again_while_the_database_is_busy(steps, monkeypatch):
    tries = []
    real = module.fail_job

    async def busy_once(*args, **kwargs):
        tries.append(1)
        if len(tries) == 1:
            raise DatabaseBusy
        return await real(*args, **kwargs)

    monkeypatch.setattr(module, "fail_job", busy_once)

    async def handler(context, args):
        raise InputInvalid("No.")

    job_id = await steps.enqueue()
    async with working(steps.db, {"work": handler}):
        assert (await ends(steps, job_id)).status == "failed"
    assert len(tries) == 2


async def test_a_job_that_cannot_be_ended_is_left_to_the_rescuer(steps, monkeypatch, later):
    async def broken(*args, **kwargs):
        gone.set()
        raise RuntimeError("a defect")

    gone = asyncio.Event()
    monkeypatch.setattr(module, "fail_job", broken)

    async def handler(context, args):
        raise InputInvalid("No.")

    job_id = await steps.enqueue()
    async with working(steps.db, {"work": handler}):
        await asyncio.wait_for(gone.wait(), PATIENCE)
    assert await steps.status(job_id) == "running"


async def test_an_end_nobody_can_be_told_is_given_up_with_the_lease():
    async def end():
        raise DatabaseBusy

    with pytest.raises(DatabaseBusy):
        await module._insist(0, end)


async def test_what_the_last_claim_took_is_given_back(steps):
    """Told to stop while the claim is on its way."""

    class Stopped(Worker):
        def _room(self):
            room = super()._room()
            self.stop()
            return room

    ids = [await steps.enqueue() for _ in range(3)]
    await asyncio.wait_for(Stopped(steps.db, {"work": None}, config()).run(), PATIENCE)
    rows = await steps.rows("SELECT id, status, attempt FROM tidings.jobs ORDER BY id")
    assert rows == [{"id": each, "status": "pending", "attempt": 0} for each in ids]


async def test_jobs_behind_slow_ones_are_given_back(steps, monkeypatch):
    monkeypatch.setattr(module, "STUCK", 0.05)
    returned, may_end = asyncio.Event(), asyncio.Event()

    class Eager(Worker):
        def _room(self):
            return 0 if self.running else 10

        async def _give_back(self, jobs):
            await super()._give_back(jobs)
            returned.set()

    async def handler(context, args):
        await may_end.wait()

    for _ in range(10):
        await steps.enqueue()
    worker = Eager(steps.db, {"work": handler}, config(claim=ClaimConfig(slots=2)))
    running = asyncio.create_task(worker.run())
    await asyncio.wait_for(returned.wait(), PATIENCE)
    rows = await steps.rows("SELECT status, count(*) AS n FROM tidings.jobs GROUP BY 1 ORDER BY 1")
    assert rows == [{"status": "pending", "n": 8}, {"status": "running", "n": 2}]
    assert worker.running == 2
    worker.stop()
    may_end.set()
    await asyncio.wait_for(running, PATIENCE)


async def test_a_cancelled_worker_drops_what_it_holds(steps):
    reached, dropped = asyncio.Event(), asyncio.Event()

    async def handler(context, args):
        reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            dropped.set()

    job_id = await steps.enqueue()
    task = asyncio.create_task(Worker(steps.db, {"work": handler}, config()).run())
    await asyncio.wait_for(reached.wait(), PATIENCE)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(dropped.wait(), PATIENCE)
    assert await steps.status(job_id) == "running"


async def test_the_settings_make_a_config(settings):
    made = WorkerConfig.from_settings(settings)
    assert (made.claim.slots, made.claim.lease, made.heartbeat.interval) == (8, 15.0, 5.0)
    assert WorkerConfig.from_settings(settings).name != made.name
    with pytest.raises(SettingInvalid, match="lease alike"):
        config(claim=ClaimConfig(lease=30))


async def test_jobs_held_ahead_are_given_back_unharmed_at_shutdown(steps):
    """Quick jobs make the worker hold many; those not begun lose no attempt."""
    go_on, reached = asyncio.Event(), asyncio.Event()

    async def handler(context, args):
        if worker._buffer or reached.is_set():
            reached.set()
            await go_on.wait()

    async with steps.db.tenant_batch(steps.tenant) as batch:
        enqueue_many(batch, [NewJob(kind="work") for _ in range(1000)])
    ahead = ClaimConfig(slots=4, ahead=10.0, prefetch=100)
    async with working(steps.db, {"work": handler}, claim=ahead, grace=0) as worker:
        await asyncio.wait_for(reached.wait(), PATIENCE)
    rows = await steps.rows("SELECT DISTINCT status, attempt, is_due FROM tidings.jobs")
    assert rows == [{"status": "pending", "attempt": 0, "is_due": True}]


async def test_a_blocked_job_goes_on_when_its_budget_resets(steps):
    async def handler(context, args):
        if context.attempt == 1 and not blocked.is_set():
            blocked.set()
            raise BudgetExceeded("The budget of the day is used up.", retry_after=0.2)
        return context.attempt

    blocked = asyncio.Event()
    job_id = await steps.enqueue(max_attempts=1)
    async with working(steps.db, {"work": handler}):
        job = await ends(steps, job_id)
    assert (job.status, job.result) == ("completed", 1)


async def test_working_until_nothing_is_due(steps):
    """Jobs that jobs enqueue are done too, later ones are left."""

    async def handler(context, args):
        if args["n"] > 0:
            async with steps.db.tenant_batch(steps.tenant) as batch:
                enqueue(batch, NewJob(kind="work", args={"n": args["n"] - 1}))

    await steps.enqueue(args={"n": 5})
    later = await steps.enqueue(args={"n": 0}, run_at=clock.now() + timedelta(hours=1))
    worker = Worker(steps.db, {"work": handler}, config())
    await asyncio.wait_for(worker.run_until_empty(), PATIENCE)
    assert worker.running == 0
    assert [row["id"] for row in await steps.rows("SELECT id FROM tidings.jobs")] == [later]
    assert len(await steps.rows("SELECT FROM tidings.finished_jobs")) == 6


async def test_a_result_the_database_refuses_spoils_no_other_job(steps, monkeypatch):
    """Checked before it is sent; were one to slip through, the others are acknowledged alone."""
    monkeypatch.setattr("tidings.queue.execute.encode_result", lambda result: result)

    async def handler(context, args):
        met.append(1)
        if len(met) == 4:
            all_met.set()
        await asyncio.wait_for(all_met.wait(), PATIENCE)
        return args["result"]

    met, all_met = [], asyncio.Event()
    bad = await steps.enqueue(args={"result": "not json"})
    good = [await steps.enqueue(args={"result": '"ok"'}) for _ in range(3)]
    async with working(steps.db, {"work": handler}, grace=0):
        for job_id in good:
            assert (await ends(steps, job_id)).result == "ok"
    assert await steps.status(bad) == "running"
