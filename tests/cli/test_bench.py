"""`tidings bench` measures in an organization of its own, and leaves nothing behind."""

import asyncio
import signal
import subprocess
import sys
from contextlib import suppress

import psycopg
import pytest

from tidings.cli.bench import command
from tidings.cli.bench.measure import percentile
from tidings.tenancy import organizations
from tidings.tenancy.organizations import bench_organization, create_organization

NAMES = [
    "queue_enqueue",
    "queue_enqueue_batch",
    "queue_drain",
    "queue_pickup_p50",
    "queue_pickup_p99",
    "kv_get",
    "kv_set",
    "kv_set_relaxed",
    "recall_hit",
    "tenant_batch",
    "tenant_ratio",
    "budget_wrong",
    "budget_rate",
    "fairness",
    "event_ratio",
]


@pytest.fixture(autouse=True)
def little(monkeypatch):
    """As little of each as there can be."""
    monkeypatch.setattr(command, "QUICK", 0.005)


def rows(superuser_url, statement):
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        return connection.execute(statement).fetchall()


def test_every_figure_is_taken_and_nothing_is_left(cli, superuser_url):
    before = dict(counts(superuser_url))
    done = cli("bench", "--quick", "--rounds", "2", "--json")
    assert done.code == 0, done.err
    assert [figure["name"] for figure in done.json] == NAMES
    for figure in done.json:
        assert 0 <= figure["lowest"] <= figure["value"] <= figure["highest"]
        assert (figure["highest"] == 0) == (figure["name"] == "budget_wrong")
        assert figure["rounds"] == 2
    assert {f["name"]: f["most"] for f in done.json if f["most"] is not None} == {
        "recall_hit": 400.0,
        "tenant_ratio": 1.6,
        "budget_wrong": 0.0,
        "fairness": 2.0,
        "event_ratio": 1.1765,
    }
    assert dict(counts(superuser_url)) == before


def counts(superuser_url):
    """How many rows there are of each organization's tables, of organizations and of people."""
    names = rows(
        superuser_url,
        "SELECT table_name FROM information_schema.columns JOIN information_schema.tables "
        "USING (table_schema, table_name) WHERE table_schema = 'tidings' "
        "AND table_type = 'BASE TABLE' AND column_name = 'organization_id'",
    )
    for name in ("organizations", "users", *(name for (name,) in names)):
        yield name, rows(superuser_url, f"SELECT count(*) FROM tidings.{name}")[0][0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_interrupts_it_leaves_nothing_either(environment, superuser_url, number):
    benches = "SELECT count(*) FROM tidings.organizations WHERE slug LIKE 'bench-%'"
    with subprocess.Popen(
        [sys.executable, "-m", "tidings", "bench", "kv", "--rounds", "100"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        while rows(superuser_url, benches) == [(0,)]:
            assert running.poll() is None
            rows(superuser_url, "SELECT pg_sleep(0.05)")  # the processor is for the benchmark
        running.send_signal(number)
        assert running.wait(timeout=60) == 130
    assert rows(superuser_url, benches) == [(0,)]


def test_some_groups_as_a_table(cli):
    done = cli("bench", "recall", "tenant", "--quick", "--rounds", "1", terminal=True)
    assert done.code == 0, done.err
    assert "Recall cache: hit" in done.out
    assert "at most 400" in done.out
    assert "Queue" not in done.out


def test_a_figure_over_its_limit_is_said(cli, monkeypatch):
    line = command.store.Line("recall_hit", "Recall cache: hit", "ns", 0.001)
    one = command.store.Measurement("recall", (line,), command.store.hit)
    monkeypatch.setattr(command.store, "MEASUREMENTS", (one,))
    done = cli("bench", "recall", "--quick", "--rounds", "1")
    assert done.code == 0
    assert "Over the limit: Recall cache: hit" in done.err


def test_what_cannot_be_measured_is_refused(cli):
    assert cli("bench", "weather").code == 2
    assert cli("bench", "--rounds", "0").code == 2


async def test_who_interrupts_the_making_of_its_organization_leaves_none(
    db, superuser_url, monkeypatch
):
    made, go_on = asyncio.Event(), asyncio.Event()

    async def makes(*given, **named):
        organization = await create_organization(*given, **named)
        made.set()
        await go_on.wait()
        return organization

    async def enter():
        async with bench_organization(db):
            pytest.fail("It was interrupted before.")

    monkeypatch.setattr(organizations, "create_organization", makes)
    entering = asyncio.create_task(enter())
    await made.wait()
    entering.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await entering
    assert rows(superuser_url, "SELECT FROM tidings.organizations") == []


async def test_only_a_benchmarks_organization_can_go(db, organization, superuser_url):
    with suppress(ZeroDivisionError):
        async with bench_organization(db) as tenant:
            assert (await ask(superuser_url, tenant.organization_id)) == 1
            raise ZeroDivisionError
    assert (await ask(superuser_url, tenant.organization_id)) == 0
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT tidings.remove_bench_v1(%s)", [organization.organization_id]
        ).fetchone()
        assert found == (0,)
        connection.execute(
            "UPDATE tidings.organizations SET slug = 'bench-' || repeat('0', 32), "
            "created_at = now() - interval '2 days'"
        )
    async with bench_organization(db):
        assert (await ask(superuser_url, organization.organization_id)) == 1
    assert (await ask(superuser_url, organization.organization_id)) == 0
    # Its owner is a person, not one that a benchmark made.
    assert rows(superuser_url, "SELECT count(*) FROM tidings.users") == [(1,)]


async def ask(superuser_url, organization_id):
    count = f"SELECT count(*) FROM tidings.organizations WHERE id = '{organization_id}'"
    ((found,),) = await asyncio.to_thread(rows, superuser_url, count)
    return found


def test_percentiles():
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile(list(map(float, range(100))), 0.99) == 99.0
    assert percentile([1.0], 0.99) == 1.0
