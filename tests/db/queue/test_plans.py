"""Claim, rescue and heartbeat read only what they are about, also with stale statistics."""

import re
from collections import Counter

import psycopg
import pytest

from db.scans import scans
from tidings.queue.enqueue import NewJob, enqueue_many
from tidings.queue.rescue import RescueConfig, Rescuer
from tidings.queue.settle import settle_lanes
from tidings.queue.wake import WakeUp

pytestmark = pytest.mark.new_database

PENDING = 20_000


@pytest.fixture
async def crowded(steps):
    """Many pending jobs, a few that run; statistics from when the table was drained.

    It had pages then and no rows, which counts as one row however many there are now.
    """
    await fill(steps, 300)
    async with await psycopg.AsyncConnection.connect(steps.superuser_url) as connection:
        # Or the statistics would be fresh now and then.
        await connection.execute("ALTER TABLE tidings.jobs SET (autovacuum_enabled = off)")
        await connection.execute("DELETE FROM tidings.jobs")
        await connection.commit()
        await connection.execute("ANALYZE tidings.jobs, tidings.runs")
    await fill(steps, PENDING)
    await steps.rows(
        "INSERT INTO tidings.queue_marks (organization_id) VALUES (%(id)s) RETURNING 1",
        {"id": steps.tenant.organization_id},
    )
    return steps


async def fill(steps, count):
    await steps.rows(
        "INSERT INTO tidings.jobs (organization_id, id, kind, user_id, run_at, rank, status, "
        "blocked_reason, is_due) SELECT %(organization)s, tidings.uuid7(), 'work', %(user)s, "
        "tidings.now() - n * interval '1 second', tidings.now() - n * interval '1 second', "
        "CASE WHEN n %% 2 = 0 THEN 'pending' ELSE 'blocked' END, CASE WHEN n %% 2 = 1 THEN 'Full.' "
        "END, n %% 2 = 0 FROM generate_series(1, %(n)s) AS n RETURNING 1",
        {
            "organization": steps.tenant.organization_id,
            "user": steps.tenant.user_id,
            "n": count,
        },
    )


async def difference(database_url, call, params=None):
    """What one call of a function, as the service makes it, added to the counters."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        before = await scans(connection, "tidings.jobs")
        found = await (await connection.execute(call, params)).fetchall()
        after = await scans(connection, "tidings.jobs")
    used = {
        name: (after[name][0] - before[name][0], after[name][1] - before[name][1])
        for name in after
        if after[name] != before[name]
    }
    return found, used


async def test_a_claim_reads_as_many_rows_as_it_takes(crowded, database_url):
    jobs, used = await difference(
        database_url,
        "SELECT id FROM tidings.claim_jobs_v2('{work}', 10, '15 s', 'w1', NULL, NULL, 0, NULL)",
    )
    assert len(jobs) == 10
    assert set(used) == {"jobs_claim", "jobs_pkey"}
    assert used["jobs_claim"][1] <= 20


async def test_a_claim_in_turns_reads_what_it_may_take_of_each(
    crowded, other_organization, database_url
):
    async with crowded.db.tenant_batch(other_organization.tenant) as batch:
        enqueue_many(batch, [NewJob(kind="work") for _ in range(100)])
    jobs, used = await difference(
        database_url,
        "SELECT organization_id FROM "
        "tidings.claim_jobs_v2('{work}', 10, '15 s', 'w1', NULL, NULL, 0, NULL)",
    )
    assert Counter(jobs) == {
        (crowded.tenant.organization_id,): 5,
        (other_organization.organization_id,): 5,
    }
    assert "table" not in used
    # Each lane is asked whether it has one, then for ten, then for five.
    assert used["jobs_claim"][1] <= 2 * (1 + 10 + 5) + 4


async def test_rescue_reads_what_runs_and_what_is_late(crowded, database_url, later):
    await crowded.claim(5)
    jobs, used = await difference(
        database_url, "SELECT id FROM tidings.rescue_jobs_v2(100, '-infinity')"
    )
    assert jobs == []
    assert set(used) == {"jobs_running", "jobs_deadline"}
    assert used["jobs_running"][1] <= 10
    async with later("16 s") as db:
        await Rescuer(db, RescueConfig(), WakeUp()).look()
    assert await crowded.rows("SELECT FROM tidings.jobs WHERE status = 'running'") == []


async def test_a_heartbeat_reads_what_it_renews(crowded, database_url):
    held = await crowded.claim(5)
    jobs, used = await difference(
        database_url,
        "SELECT id FROM tidings.heartbeat_jobs_v2(%s, %s, %s, '15 s')",
        [
            [job.organization_id for job in held],
            [job.id for job in held],
            [job.lease_token for job in held],
        ],
    )
    assert len(jobs) == 5
    assert set(used) == {"jobs_pkey"}


async def test_a_completion_reads_what_it_ends(crowded, database_url):
    held = await crowded.claim(5)
    others, used = await difference(
        database_url,
        "SELECT id FROM tidings.finish_jobs_v2(%s, %s, %s, NULL)",
        [
            [job.organization_id for job in held],
            [job.id for job in held],
            [job.lease_token for job in held],
        ],
    )
    assert others == []
    assert set(used) == {"jobs_pkey"}
    assert used["jobs_pkey"][1] <= 15


async def test_a_claim_skips_what_a_long_transaction_keeps(crowded, superuser_url, database_url):
    claim = "SELECT id FROM tidings.claim_jobs_v2('{work}', 500, '15 s', 'w1', NULL, NULL, 0, NULL)"
    async with (
        await psycopg.AsyncConnection.connect(superuser_url) as pinned,
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as worker,
    ):
        await pinned.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await pinned.execute("SELECT count(*) FROM tidings.organizations")
        for _ in range(8):
            await worker.execute(claim)
        _, before = await difference(database_url, claim)
        await settle_lanes(crowded.db)
        _, after = await difference(database_url, claim)
    assert before["jobs_claim"][1] > 4000
    assert after["jobs_claim"][1] <= 600


async def test_a_heartbeat_touches_no_index(crowded):
    held = await crowded.claim(5)
    statement = "UPDATE tidings.jobs SET lease_until = tidings.now() WHERE status = 'running'"
    async with await psycopg.AsyncConnection.connect(crowded.superuser_url) as connection:
        for _ in range(2):
            await connection.execute(statement)
        found = await connection.execute(
            "SELECT pg_stat_get_xact_tuples_updated(c), pg_stat_get_xact_tuples_hot_updated(c) "
            "FROM (SELECT 'tidings.jobs'::regclass::oid) AS t (c)"
        )
        (counts,) = await found.fetchall()
    assert counts == (2 * len(held), 2 * len(held))


CLAIM = """
    SELECT organization_id, id FROM tidings.jobs
    WHERE organization_id = '01900000-0000-7000-8000-000000000000' AND status = 'pending' AND is_due
        AND rank >= '-infinity' AND kind = ANY ('{work}')
    ORDER BY rank, id LIMIT 10 FOR UPDATE SKIP LOCKED"""
RIPE = """
    SELECT organization_id, id FROM tidings.jobs WHERE NOT is_due AND run_at <= tidings.now()
    ORDER BY run_at LIMIT 1000 FOR UPDATE SKIP LOCKED"""
RESCUE = """
    SELECT * FROM tidings.jobs WHERE status = 'running' AND claimed_at >= '-infinity'
        AND lease_until < tidings.now()
    ORDER BY claimed_at LIMIT 100 FOR UPDATE SKIP LOCKED"""
LATE = """
    SELECT * FROM tidings.jobs WHERE status <> 'running' AND deadline_at <= tidings.now()
    ORDER BY deadline_at LIMIT 100 FOR UPDATE SKIP LOCKED"""


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (CLAIM, "jobs_claim"),
        (RIPE, "jobs_later"),
        (RESCUE, "jobs_running"),
        (LATE, "jobs_deadline"),
    ],
)
async def test_the_plans_use_the_partial_indexes(crowded, query, index):
    async with await psycopg.AsyncConnection.connect(crowded.superuser_url) as connection:
        await connection.execute("SET ROLE tidings_system")
        await connection.execute("SET enable_seqscan = off")
        await connection.execute("SET enable_bitmapscan = off")
        found = await (await connection.execute(f"EXPLAIN {query}")).fetchall()
    plan = "\n".join(line for (line,) in found)
    assert re.search(rf"Index Scan using {index}\b", plan), plan
    assert "Sort" not in plan
