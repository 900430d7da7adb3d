"""A run follows its job and tells everybody; at most one of a subject when asked so."""

import asyncio

import pytest

from tidings.base.errors import RoleForbidden, RowMissing
from tidings.base.ids import uuid7
from tidings.queue.claim import ClaimedJob
from tidings.queue.context import JobContext
from tidings.queue.finish import fail_job
from tidings.queue.runs import Progress, cancel_run, get_run, list_runs


async def one_event(steps, run_id):
    events = await steps.events(run_id)
    return [(event, payload["status"]) for event, payload in events]


async def test_a_run_follows_its_job_to_the_end(steps):
    started = await steps.start_run("acme.com", args={"domain": "acme.com"})
    assert started.created
    run = await get_run(steps.db, steps.tenant, started.run_id)
    assert (run.status, run.progress, run.is_live) == ("queued", Progress(None, 0, 0), True)
    assert run.created_by == steps.tenant.user_id
    job = await steps.claim_one()
    assert (job.args, job.run_id) == ({"domain": "acme.com"}, started.run_id)
    run = await get_run(steps.db, steps.tenant, started.run_id)
    assert run.status == "running"
    assert run.started_at is not None
    await JobContext(steps.db, job).progress("verify", 0, 9)
    async with steps.db.tenant_transaction(job.tenant) as transaction:
        JobContext(steps.db, job).finish(transaction, {"link": "/acme.com"})
    run = await get_run(steps.db, steps.tenant, started.run_id)
    assert run.progress == Progress("verify", 9, 9)  # as done as it is
    assert (run.status, run.result, run.is_live) == ("complete", {"link": "/acme.com"}, False)
    assert run.finished_at is not None
    assert await one_event(steps, run.id) == [
        ("progress", "running"),
        ("progress", "running"),
        ("complete", "complete"),
    ]


async def test_every_change_is_published_whole(steps):
    started = await steps.start_run("acme.com")
    context = JobContext(steps.db, await steps.claim_one())
    await context.progress("read", 1, 4)
    event, payload = (await steps.events(started.run_id))[-1]
    assert event == "progress"
    assert payload == {
        "id": str(started.run_id),
        "kind": "work",
        "subject": "acme.com",
        "status": "running",
        "progress": {"stage": "read", "done": 1, "total": 4},
        "error": None,
        "result": None,
    }


async def test_progress_is_written_when_it_matters(steps):
    started = await steps.start_run()
    job = await steps.claim_one()
    context = JobContext(steps.db, job)
    for done in range(50):
        await context.progress("read", done, 50)
    await context.progress("read", 50, 50)
    await context.progress("reduce", 0, 1)
    events = await steps.events(started.run_id)
    shown = [(p["progress"]["stage"], p["progress"]["done"]) for _, p in events[1:]]
    assert shown[0] == ("read", 0)
    assert shown[-2:] == [("read", 50), ("reduce", 0)]
    assert len(shown) < 20
    run = await get_run(steps.db, steps.tenant, started.run_id)
    assert run.progress == Progress("reduce", 0, 1)
    (row,) = await steps.rows("SELECT progress FROM tidings.jobs")
    assert row["progress"] == {"stage": "reduce", "done": 0, "total": 1}


async def test_a_try_that_failed_queues_the_run_again(steps):
    started = await steps.start_run(max_attempts=2)
    await fail_job(steps.db, await steps.claim_one(), "Not yet.", may_retry=True)
    run = await get_run(steps.db, steps.tenant, started.run_id)
    assert (run.status, run.error) == ("queued", None)
    await fail_job(steps.db, await steps.claim_one(), "OpenAI API error: 500.", may_retry=True)
    run = await get_run(steps.db, steps.tenant, started.run_id)
    assert (run.status, run.error) == ("error", "OpenAI API error: 500.")
    assert [event for event, _ in await steps.events(run.id)] == ["progress"] * 3 + ["error"]


async def test_twenty_at_once_start_one_run(steps):
    started = await asyncio.gather(*[steps.start_run("acme.com") for _ in range(20)])
    assert len({each.run_id for each in started}) == 1
    assert sum(each.created for each in started) == 1
    for table in ("runs", "jobs"):
        assert await steps.rows(f"SELECT count(*) FROM tidings.{table}") == [{"count": 1}]


async def test_only_a_live_run_of_the_same_subject_kind_and_organization_is_reused(
    steps, other_organization
):
    first = await steps.start_run("acme.com")
    assert (await steps.start_run("acme.com")).run_id == first.run_id
    for other in (
        await steps.start_run("other.com"),
        await steps.start_run("acme.com", kind="export"),
        await steps.start_run("acme.com", reuse=False),
    ):
        assert other.created
    steps.tenant = other_organization.tenant
    assert (await steps.start_run("acme.com")).created


async def test_a_finished_run_is_not_reused(steps):
    first = await steps.start_run()
    await steps.complete(await steps.claim_one())
    second = await steps.start_run()
    assert second.created
    assert second.run_id != first.run_id


async def test_a_run_that_is_being_cancelled_is_not_reused(steps):
    first = await steps.start_run()
    await steps.claim_one()
    assert await cancel_run(steps.db, steps.tenant, first.run_id) == "running"
    assert (await steps.start_run()).created


async def test_a_queued_run_is_cancelled_at_once_and_again(steps):
    started = await steps.start_run()
    for _ in range(2):
        assert await cancel_run(steps.db, steps.tenant, started.run_id) == "cancelled"
    assert await steps.claim() == []
    assert await one_event(steps, started.run_id) == [("cancelled", "cancelled")]


async def test_a_running_run_is_asked_to_stop_and_ends_as_cancelled(steps):
    started = await steps.start_run()
    job: ClaimedJob = await steps.claim_one()
    for _ in range(2):
        assert await cancel_run(steps.db, steps.tenant, started.run_id) == "running"
    await fail_job(steps.db, job, "x", may_retry=True)
    assert await cancel_run(steps.db, steps.tenant, started.run_id) == "cancelled"


async def test_a_finished_run_stays_as_it_is(steps):
    started = await steps.start_run()
    await steps.complete(await steps.claim_one())
    assert await cancel_run(steps.db, steps.tenant, started.run_id) == "complete"


async def test_other_organizations_runs_do_not_exist(steps, other_organization):
    started = await steps.start_run()
    for run_id in (started.run_id, uuid7()):
        with pytest.raises(RowMissing):
            await get_run(steps.db, other_organization.tenant, run_id)
        with pytest.raises(RowMissing):
            await cancel_run(steps.db, other_organization.tenant, run_id)
    assert await list_runs(steps.db, other_organization.tenant) == []


async def test_only_a_run_of_the_given_families_is_cancelled(steps):
    run_id = (await steps.start_run("acme.com", kind="work.more")).run_id
    with pytest.raises(RoleForbidden):
        await cancel_run(steps.db, steps.tenant, run_id, families=["summaries"])
    assert (await get_run(steps.db, steps.tenant, run_id)).status == "queued"
    families = ["summaries", "work"]
    assert await cancel_run(steps.db, steps.tenant, run_id, families=families) == "cancelled"


async def test_a_viewer_reads_runs_and_starts_and_cancels_none(steps, organization):
    started = await steps.start_run()
    steps.tenant = organization.acting("viewer")
    assert (await get_run(steps.db, steps.tenant, started.run_id)).status == "queued"
    with pytest.raises(RoleForbidden):
        await cancel_run(steps.db, steps.tenant, started.run_id)
    with pytest.raises(RoleForbidden):
        await steps.start_run("other.com")


async def test_runs_are_listed_newest_first_in_pages(steps):
    ids = [(await steps.start_run(f"{n}.com")).run_id for n in range(5)]
    await steps.start_run("x.com", kind="export")
    page = await list_runs(steps.db, steps.tenant, kind="work", limit=2)
    assert [run.id for run in page] == ids[:2:-1]
    page = await list_runs(steps.db, steps.tenant, kind="work", before=page[-1].id)
    assert [run.id for run in page] == ids[2::-1]
    assert [r.subject for r in await list_runs(steps.db, steps.tenant, subject="x.com")] == [
        "x.com"
    ]


async def test_progress_that_cannot_be_written_costs_the_job_nothing(steps):
    started = await steps.start_run()
    context = JobContext(steps.db, await steps.claim_one())
    await steps.db.close()
    await context.progress("read", 1, 2)
    assert len(await steps.events(started.run_id)) == 1
