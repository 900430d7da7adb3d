"""`tidings jobs` against a real database."""

import asyncio

import psycopg
import pytest

from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.db.pools import primary_pool
from tidings.db.transaction import Database
from tidings.queue.claim import claim_jobs
from tidings.queue.enqueue import NewJob, enqueue_many
from tidings.queue.finish import fail_job


@pytest.fixture
def failed(cli, database_url: str, superuser_url: str) -> str:
    """A dead letter, and a job that waits, of the default organization."""
    assert cli("jobs", "list").code == 0
    with psycopg.connect(superuser_url) as connection:
        found = connection.execute(
            "SELECT m.organization_id, m.user_id FROM tidings.organization_members AS m "
            "JOIN tidings.organizations AS o ON o.id = m.organization_id AND o.slug = 'default'"
        ).fetchone()
    assert found is not None

    async def make() -> str:
        settings = Settings(database_url=database_url, pool_primary_min=1, _env_file=None)
        db = Database(primary_pool(settings, database_url))
        await db.open()
        async with db.tenant_batch(Tenant(*found, "owner")) as batch:
            enqueue_many(batch, [NewJob(kind="work", args={"n": n}) for n in range(2)])
        (job,) = await claim_jobs(db, ["work"], 1, lease=15, worker="w1")
        await fail_job(db, job, "Not today.", may_retry=False)
        await db.close()
        return str(job.id)

    return asyncio.run(make())


def test_jobs_are_listed_and_shown(cli, failed: str) -> None:
    both = cli("jobs", "list", "--json").json
    assert {job["status"] for job in both} == {"failed", "pending"}
    (dead,) = cli("jobs", "list", "--status", "failed", "--json").json
    assert (dead["id"], dead["error"], dead["args"]) == (failed, "Not today.", {"n": 0})
    assert "Not today." in cli("jobs", "list").out
    assert "Not today." in cli("jobs", "show", failed).out
    assert cli("jobs", "show", failed, "--json").json["attempt"] == 1
    missing = cli("jobs", "show", "01990000-0000-7000-8000-000000000000")
    assert (missing.code, missing.out) == (1, "")


def test_a_job_is_tried_again_and_cancelled(cli, failed: str) -> None:
    done = cli("jobs", "retry", failed, "--json")
    assert done.json == {"id": failed, "status": "pending"}
    assert cli("jobs", "retry", failed).code == 1
    assert "cancelled" in cli("jobs", "cancel", failed).err
    assert cli("jobs", "show", failed, "--json").json["status"] == "cancelled"


def test_the_figures_and_the_weight(cli, failed: str) -> None:
    found = cli("jobs", "stats", "--json").json
    assert (found["kinds"][0]["pending"], found["dead_letters"], found["weight"]) == (1, 1, 1)
    assert "Dead letters: 1. Weight: 1." in cli("jobs", "stats").err
    assert cli("jobs", "weight", "5", "--json").json == {"weight": 5}
    assert "weight is 7" in cli("jobs", "weight", "7").err
    assert cli("jobs", "stats", "--json").json["weight"] == 7
    assert cli("jobs", "weight", "0").code == 2


def test_draining_does_what_is_due_and_ends(cli) -> None:
    started = cli("engagement", "run", "a.example", "--json", "--no-sync")
    assert started.code in (0, 1)
    done = cli("jobs", "drain", "--json")
    assert (done.code, done.json) == (0, {"later": False})
    assert "Nothing is due." in cli("jobs", "drain").err
    assert cli("jobs", "list", "--status", "pending", "--json").json == []
