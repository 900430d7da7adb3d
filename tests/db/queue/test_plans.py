"""Claim, rescue and heartbeat read only what they are about, also with stale statistics."""

import re

import psycopg
import pytest

from tidings.queue.rescue import RescueConfig, Rescuer
from tidings.queue.wake import WakeUp

PENDING = 20_000


@pytest.fixture
async def crowded(steps):
    """Many pending jobs, a few that run; statistics from when the table was empty."""
    async with await psycopg.AsyncConnection.connect(steps.superuser_url) as connection:
        await connection.execute("ANALYZE tidings.jobs")
    await steps.rows(
        "INSERT INTO tidings.jobs (organization_id, id, kind, user_id, run_at) "
        "SELECT %(organization)s, tidings.uuid7(), 'work', %(user)s, "
        "tidings.now() - n * interval '1 second' FROM generate_series(1, %(n)s) AS n RETURNING 1",
        {
            "organization": steps.tenant.organization_id,
            "user": steps.tenant.user_id,
            "n": PENDING,
        },
    )
    return steps


async def scans(url):
    """How often each index of jobs and the whole table was scanned so far."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        await connection.execute("SELECT pg_stat_clear_snapshot()")
        found = await connection.execute(
            "SELECT indexrelname, idx_scan, idx_tup_read FROM pg_stat_user_indexes "
            "WHERE relname = 'jobs' UNION ALL "
            "SELECT 'table', seq_scan, seq_tup_read FROM pg_stat_user_tables WHERE relname = 'jobs'"
        )
        return {name: (count, read) for name, count, read in await found.fetchall()}


async def difference(url, database_url, call, params):
    """What one call of a function, as the service makes it, added to the counters."""
    before = await scans(url)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        found = await (await connection.execute(call, params)).fetchall()
        await connection.execute("SELECT pg_stat_force_next_flush()")
    after = await scans(url)
    used = {
        name: (after[name][0] - before[name][0], after[name][1] - before[name][1])
        for name in after
        if after[name] != before[name]
    }
    return found, used


async def test_a_claim_reads_as_many_rows_as_it_takes(crowded, superuser_url, database_url):
    jobs, used = await difference(
        superuser_url,
        database_url,
        "SELECT id FROM tidings.claim_jobs_v1('{work}', 10, '15 s', 'w1', false)",
        None,
    )
    assert len(jobs) == 10
    assert "table" not in used
    assert used["jobs_claim"][1] <= 20


async def test_rescue_reads_what_runs_and_what_is_late(crowded, superuser_url, database_url, later):
    await crowded.claim(5)
    jobs, used = await difference(
        superuser_url, database_url, "SELECT id FROM tidings.rescue_jobs_v1(100)", None
    )
    assert jobs == []
    assert set(used) == {"jobs_running", "jobs_deadline"}
    assert used["jobs_running"][1] <= 10
    async with later("16 s") as db:
        await Rescuer(db, RescueConfig(), WakeUp()).look()
    assert await crowded.rows("SELECT FROM tidings.jobs WHERE status = 'running'") == []


async def test_a_heartbeat_reads_what_it_renews(crowded, superuser_url, database_url):
    held = await crowded.claim(5)
    jobs, used = await difference(
        superuser_url,
        database_url,
        "SELECT id FROM tidings.heartbeat_jobs_v1(%s, %s, '15 s')",
        [[job.id for job in held], [job.lease_token for job in held]],
    )
    assert len(jobs) == 5
    assert "table" not in used


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
    WHERE status = 'pending' AND run_at <= tidings.now() AND kind = ANY ('{work}')
    ORDER BY priority DESC, run_at, id LIMIT 10 FOR UPDATE SKIP LOCKED"""
RESCUE = """
    SELECT * FROM tidings.jobs WHERE status = 'running' AND lease_until < tidings.now()
    ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED"""
LATE = """
    SELECT * FROM tidings.jobs WHERE status <> 'running' AND deadline_at <= tidings.now()
    ORDER BY deadline_at LIMIT 100 FOR UPDATE SKIP LOCKED"""


@pytest.mark.parametrize(
    ("query", "index"),
    [(CLAIM, "jobs_claim"), (RESCUE, "jobs_running"), (LATE, "jobs_deadline")],
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
