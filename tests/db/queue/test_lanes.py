"""Lanes: organizations take turns, and no job is ever below where its claims begin to read."""

import asyncio
import itertools
from collections import Counter

import psycopg
import pytest

from tidings.db.queries import load_queries
from tidings.queue.claim import ClaimConfig
from tidings.queue.enqueue import NewJob, enqueue, enqueue_many
from tidings.queue.finish import fail_job, release_jobs
from tidings.queue.jobs import retry_job
from tidings.queue.rescue import RescueConfig, Rescuer
from tidings.queue.settle import settle_lanes
from tidings.queue.wake import WakeUp
from tidings.queue.worker import Worker, WorkerConfig

sql = load_queries("tidings.queue")


async def crowd(steps, tenant, n):
    async with steps.db.tenant_batch(tenant) as batch:
        return enqueue_many(batch, [NewJob(kind="work") for _ in range(n)])


async def lane(steps):
    (row,) = await steps.rows(
        "SELECT extract(epoch FROM l.low) AS low, (SELECT count(*) FROM tidings.queue_marks AS m "
        "WHERE m.organization_id = l.organization_id) AS marks "
        "FROM tidings.queue_lanes AS l WHERE l.organization_id = %(id)s",
        {"id": steps.tenant.organization_id},
    )
    return row["low"], row["marks"]


def shares(jobs, *organizations):
    counted = Counter(job.organization_id for job in jobs)
    return [counted[each.organization_id] for each in organizations]


async def test_organizations_take_turns_whatever_one_has_waiting(
    steps, organization, other_organization
):
    await crowd(steps, organization.tenant, 200)
    await crowd(steps, other_organization.tenant, 3)
    assert shares(await steps.claim(10), organization, other_organization) == [7, 3]
    await crowd(steps, other_organization.tenant, 50)
    assert shares(await steps.claim(10), organization, other_organization) == [5, 5]


async def test_a_heavier_organization_gets_more(steps, organization, other_organization):
    await crowd(steps, organization.tenant, 50)
    await crowd(steps, other_organization.tenant, 50)
    params = {"organization_id": organization.organization_id, "weight": 4}
    await steps.system(sql.weigh_lane, params)
    assert shares(await steps.claim(20), organization, other_organization) == [16, 4]


async def test_a_turn_goes_on_at_the_next_claim(steps, organization, other_organization):
    await crowd(steps, organization.tenant, 30)
    await crowd(steps, other_organization.tenant, 30)
    params = {"organization_id": organization.organization_id, "weight": 3}
    await steps.system(sql.weigh_lane, params)
    taken = []

    async def handler(context, args):
        taken.append(context.tenant.organization_id)
        if len(taken) == 40:
            worker.stop()

    slots = ClaimConfig(slots=1, prefetch=0)
    worker = Worker(steps.db, {"work": handler}, WorkerConfig(name="w1", claim=slots))
    await asyncio.wait_for(worker.run(), 20)
    counted = Counter(taken[:40])
    assert counted[organization.organization_id] == 30
    runs = [len(list(turn)) for _, turn in itertools.groupby(taken[:40])]
    assert set(runs[1:-1]) == {1, 3}


async def test_priorities_keep_their_order_in_a_lane_that_was_empty(steps):
    await settle_lanes(steps.db)
    ids = {urgency: await steps.enqueue(priority=urgency) for urgency in (0, 5, 500, -3)}
    assert [job.id for job in await steps.claim()] == [ids[n] for n in (500, 5, 0, -3)]


async def test_one_slot_goes_round(steps, organization, other_organization):
    await crowd(steps, organization.tenant, 4)
    await crowd(steps, other_organization.tenant, 4)
    after, taken = None, []
    for _ in range(6):
        (job,) = await steps.claim(1, after=after, spent=1)
        after = job.organization_id
        taken.append(after)
    assert all(one != two for one, two in itertools.pairwise(taken))


async def test_a_settled_lane_is_unmarked_until_the_next_job(steps):
    await crowd(steps, steps.tenant, 5)
    await steps.claim(5)
    before, marks = await lane(steps)
    assert marks == 1
    await settle_lanes(steps.db)
    low, marks = await lane(steps)
    assert low > before
    assert marks == 0
    again = await steps.enqueue()
    assert (await lane(steps))[1] == 1
    assert [job.id for job in await steps.claim()] == [again]


async def test_a_lane_settles_at_its_first_job_and_not_behind(steps):
    await crowd(steps, steps.tenant, 3)
    first = (await steps.claim(1))[0]
    (waiting,) = await steps.rows(
        "SELECT extract(epoch FROM min(rank)) AS rank FROM tidings.jobs WHERE status = 'pending'"
    )
    await settle_lanes(steps.db, [steps.tenant.organization_id])
    low, marks = await lane(steps)
    assert float(waiting["rank"] - low) == pytest.approx(1e-3, abs=1e-6)
    assert marks == 1
    # One that comes back is put where the lane begins, and claimed.
    await release_jobs(steps.db, [first])
    assert {job.id for job in await steps.claim()} >= {first.id}


async def test_a_job_committed_late_is_not_passed_by(steps):
    """Its rank was taken before others were claimed and the lane moved on."""
    async with steps.db.tenant_transaction(steps.tenant) as transaction:
        late = enqueue(transaction, NewJob(kind="work", priority=50))
        await transaction._flush([])
        await crowd(steps, steps.tenant, 3)
        assert len(await steps.claim()) == 3
        before = await lane(steps)
        await asyncio.wait_for(settle_lanes(steps.db), 20)
        # Somebody is about to put a job into it, so it stays where it is.
        assert await lane(steps) == before
    assert [job.id for job in await steps.claim()] == [late]


async def test_an_urgent_job_is_first_although_the_lane_has_moved_on(steps):
    await crowd(steps, steps.tenant, 3)
    await steps.claim(2)
    await settle_lanes(steps.db)
    urgent = await steps.enqueue(priority=1000)
    assert (await steps.claim(1))[0].id == urgent


@pytest.mark.parametrize("way", ["failed", "retried", "rescued", "ripe"])
async def test_every_way_back_is_seen_by_claims(steps, later, way):
    job_id = await steps.enqueue(max_attempts=1 if way == "retried" else 5)
    job = await steps.claim_one()
    await settle_lanes(steps.db)
    db = steps.db
    if way == "failed":
        await fail_job(steps.db, job, "Again.", may_retry=True)
    elif way == "retried":
        await fail_job(steps.db, job, "Never.", may_retry=False)
        await retry_job(steps.db, steps.tenant, job_id)
    elif way == "ripe":
        await fail_job(steps.db, job, "Again.", may_retry=True, delay=30)
    async with later("31 s") as moved:
        if way in ("rescued", "ripe"):
            db = moved
        if way == "rescued":
            await Rescuer(moved, RescueConfig(), WakeUp()).look()
        assert [again.id for again in await steps.claim(db=db)] == [job_id]


async def test_enqueuers_settlers_and_claimers_at_once_lose_nothing(steps):
    ids: list = []
    taken: list = []
    over = asyncio.Event()

    async def enqueuer():
        for n in range(30):
            async with steps.db.tenant_transaction(steps.tenant) as transaction:
                ids.append(enqueue(transaction, NewJob(kind="work", priority=n % 7)))
                await transaction._flush([])

    async def settler():
        while not over.is_set():
            await settle_lanes(steps.db)

    async def claimer():
        while not over.is_set() or len(taken) < len(ids):
            taken.extend(job.id for job in await steps.claim(5))

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(settler())
        for _ in range(2):
            tasks.create_task(claimer())
        async with asyncio.TaskGroup() as enqueuers:
            for _ in range(3):
                enqueuers.create_task(enqueuer())
        over.set()
    assert Counter(taken) == Counter(ids)


async def test_only_known_organizations_have_a_share(steps):
    params = {"organization_id": "01900000-0000-7000-8000-000000000000", "weight": 1}
    with pytest.raises(Exception, match="no such organization"):
        await steps.system(sql.weigh_lane, params)


async def test_a_lane_takes_its_jobs_along(steps, superuser_url):
    await crowd(steps, steps.tenant, 2)
    await steps.complete(await steps.claim_one())
    async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
        await connection.execute("DELETE FROM tidings.organizations")
        for table in ("queue_lanes", "queue_marks", "jobs", "finished_jobs"):
            found = await connection.execute(f"SELECT count(*) FROM tidings.{table}")
            assert await found.fetchone() == (0,)
