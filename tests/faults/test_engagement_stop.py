"""Runs that are interrupted otherwise: shutdown, cancelling, deadlines, cut connections."""

import asyncio
import signal

import pytest
import pytest_asyncio

from acceptance.processes import kill, locks, worker_process
from acceptance.product import PATIENCE, Customer, Product
from tidings.base.settings import Settings

from factories.meetings import meeting

DOMAIN = "acme.example"
SAVING = "%INTO tidings.meeting_findings%"
# Where no worker dies no lease must end, however busy the machine is.
LONG = pytest.mark.parametrize("product_settings", [60.0], indirect=True)


@pytest_asyncio.fixture
async def customer(product: Product) -> Customer:
    customer = await product.customer()
    await customer.capture(meeting(1), meeting(2))
    return customer


@LONG
async def test_sigterm_gives_the_run_back(
    product: Product, product_settings: Settings, customer: Customer
) -> None:
    run_id = await customer.start(DOMAIN)
    created_at = (await customer.record(DOMAIN, run_id))["created_at"]
    async with locks(product, 1) as (gate,):
        await gate.hold("meeting_findings", "SHARE")
        async with worker_process(
            product_settings, TIDINGS_SHUTDOWN_GRACE="0.2", TIDINGS_JOB_LEASE="60"
        ) as stops:
            await gate.waited_for("meeting_findings", SAVING)
            stops.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(stops.wait(), PATIENCE) == 0
        assert await product.look("SELECT status, attempt FROM tidings.jobs") == [
            {"status": "pending", "attempt": 0}
        ]
        assert (await customer.record(DOMAIN, run_id))["status"] == "processing"
        await gate.release()
    async with product.working():
        assert await customer.ended(run_id) == "complete"
    record = await customer.record(DOMAIN, run_id)
    assert (record["created_at"], record["meetings_read"]) == (created_at, 2)
    assert await product.look("SELECT attempt, status FROM tidings.finished_jobs") == [
        {"attempt": 1, "status": "completed"}
    ]


@LONG
async def test_a_cut_connection_costs_a_try(product: Product, customer: Customer) -> None:
    run_id = await customer.start(DOMAIN)
    async with locks(product, 1) as (gate,), product.working():
        await gate.hold("meeting_findings", "SHARE")
        backend = await gate.waited_for("meeting_findings", SAVING)
        await product.look("SELECT pg_terminate_backend(%s, 60000)", backend)
        await gate.release()
        assert await customer.ended(run_id) == "complete"
    assert await product.look("SELECT attempt, status FROM tidings.finished_jobs") == [
        {"attempt": 2, "status": "completed"}
    ]
    assert (await customer.record(DOMAIN, run_id))["summary"]["meetings_count"] == 2


async def test_a_dead_workers_run_ends_at_its_deadline(
    product: Product, product_settings: Settings
) -> None:
    customer = await product.customer()
    await customer.capture(meeting(1))
    run_id = await customer.start(DOMAIN)
    async with locks(product, 1) as (gate,):
        await gate.hold("meeting_findings", "SHARE")
        async with worker_process(product_settings) as dies:
            await gate.waited_for("meeting_findings", SAVING)
            await kill(dies)
        # Whoever takes it over cannot get on either, and has little time left.
        await product.look(
            "UPDATE tidings.jobs SET deadline_at = tidings.now() + interval '3 seconds' RETURNING 1"
        )
        async with product.working():
            assert await customer.ended(run_id) == "error"
        record = await customer.record(DOMAIN, run_id)
        assert record["status"] == "error"
        assert record["error"] == "It did not finish before its deadline; start it again."
        await gate.release()
    async with product.working():
        assert (await customer.complete(DOMAIN))["meetings_count"] == 1
    assert len(await product.look("SELECT key FROM tidings.kv_store")) == 2


async def test_a_dead_workers_run_can_be_cancelled(
    product: Product, product_settings: Settings, customer: Customer
) -> None:
    run_id = await customer.start(DOMAIN)
    async with locks(product, 1) as (gate,):
        await gate.hold("meeting_findings", "SHARE")
        async with worker_process(product_settings) as dies:
            await gate.waited_for("meeting_findings", SAVING)
            await kill(dies)
        asked = await customer.http.post(f"/v1/runs/{run_id}/cancel")
        assert asked.json() == {"id": run_id, "status": "running"}
        # A new one need not wait for the end of the one that was cancelled.
        second = await customer.start(DOMAIN)
        assert second != run_id
        await gate.release()
    async with product.working():
        assert await customer.ended(run_id) == "cancelled"
        assert await customer.ended(second) == "complete"
    record = await customer.record(DOMAIN, run_id)
    assert (record["status"], record["error"]) == ("error", "The run was cancelled.")


async def test_of_two_workers_one_is_killed_and_every_run_ends_once(
    product: Product, product_settings: Settings, customer: Customer
) -> None:
    domains = [f"company{n}.example" for n in range(6)]
    await customer.capture(
        *(meeting(10 * n + i, domain) for n, domain in enumerate(domains, 1) for i in range(3))
    )
    runs = [await customer.start(domain) for domain in domains]
    async with locks(product, 1) as (gate,):
        await gate.hold("meeting_findings", "SHARE")
        async with worker_process(product_settings, TIDINGS_WORKER_CONCURRENCY="3") as dies:
            await gate.waited_for("meeting_findings", SAVING)
            async with product.working():
                ends = asyncio.gather(*map(customer.ended, runs))
                await kill(dies)
                await gate.release()
                assert await ends == ["complete"] * len(domains)
    for domain, run_id in zip(domains, runs, strict=True):
        assert (await customer.record(domain, run_id))["summary"]["meetings_count"] == 3
    (jobs,) = await product.look(
        "SELECT count(*), count(DISTINCT run_id) AS runs FROM tidings.finished_jobs "
        "WHERE status = 'completed'"
    )
    assert jobs == {"count": 6, "runs": 6}
    assert await product.look("SELECT FROM tidings.jobs") == []
    (read,) = await product.look("SELECT count(*) FROM tidings.meeting_findings")
    assert read == {"count": 18}
