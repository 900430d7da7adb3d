"""The tables refuse states that the machine does not have; the revision goes down and up."""

import psycopg
import pytest

from tidings.db.migrate import migrate_down, migrate_up

JOB = (
    "INSERT INTO tidings.jobs (organization_id, id, user_id, kind, {columns}) "
    "VALUES (%(organization)s, tidings.uuid7(), %(user)s, 'work', {values}) RETURNING 1"
)
RUN = (
    "INSERT INTO tidings.runs (organization_id, id, kind, subject, job_id, created_by, {columns}) "
    "VALUES (%(organization)s, tidings.uuid7(), 'work', 'x', tidings.uuid7(), %(user)s, {values}) "
    "RETURNING 1"
)


@pytest.mark.parametrize(
    ("statement", "columns", "values"),
    [
        (JOB, "status", "'running'"),
        (JOB, "status", "'done'"),
        (JOB, "lease_token", "gen_random_uuid()"),
        (JOB, "attempt, max_attempts", "2, 1"),
        (JOB, "max_attempts", "0"),
        (JOB, "cancel_requested_at", "tidings.now()"),
        (JOB, "args", "'[]'"),
        (
            JOB,
            "status, lease_token, lease_until, worker, claimed_at, attempt",
            "'running', gen_random_uuid(), tidings.now(), 'w', tidings.now(), 0",
        ),
        (RUN, "status", "'running'"),
        (RUN, "status, started_at", "'complete', tidings.now()"),
        (RUN, "status, finished_at", "'error', tidings.now()"),
        (RUN, "error", "'Oh.'"),
        (RUN, "result", "'{}'"),
        (RUN, "done", "-1"),
    ],
)
async def test_a_state_the_machine_does_not_have_is_refused(steps, statement, columns, values):
    with pytest.raises(psycopg.errors.CheckViolation):
        await steps.rows(
            statement.format(columns=columns, values=values),
            {"organization": steps.tenant.organization_id, "user": steps.tenant.user_id},
        )


async def test_an_organization_takes_its_jobs_and_runs_along(steps):
    await steps.start_run()
    await steps.start_run("b.com")
    await steps.claim(1)
    await steps.rows(
        "DELETE FROM tidings.organizations WHERE id = %(id)s RETURNING 1",
        {"id": steps.tenant.organization_id},
    )
    assert await steps.rows("SELECT FROM tidings.jobs") == []
    assert await steps.rows("SELECT FROM tidings.runs") == []


def test_down_and_up_again(owner_url):
    migrate_down(owner_url, "0004")
    with psycopg.connect(owner_url) as connection:
        found = connection.execute("SELECT to_regclass('tidings.jobs')::text").fetchone()
    assert found == (None,)
    assert migrate_up(owner_url).is_current
