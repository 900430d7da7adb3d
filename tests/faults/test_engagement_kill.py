"""A worker process is killed in every stage of a run: one record, and it ends.

The stage is held by a lock of the test on a table that only its next statement needs. What the
server was already told by the dead worker may still happen once the lock is gone, which is part of
what is tested; or it is rolled back, when the server notices first.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from acceptance.processes import kill, locks, worker_process
from acceptance.product import PATIENCE, Customer, Product, settings_for
from tidings.base.settings import Settings
from tidings.meetings.testing import NO_ANSWER, FakeFathom

from factories.meetings import meeting

DOMAIN = "acme.example"
KEY = "fathom-test-key"


@pytest_asyncio.fixture
async def fathom() -> AsyncIterator[FakeFathom]:
    async with FakeFathom(api_key=KEY) as fake:
        yield fake


@pytest.fixture
def product_settings(database_url: str, tmp_path: Path, fathom: FakeFathom) -> Settings:
    return settings_for(
        database_url, tmp_path, fathom_base_url=fathom.base_url, job_lease=1.0, job_heartbeat=0.3
    )


@pytest_asyncio.fixture
async def customer(product: Product) -> Customer:
    return await product.customer()


async def check_ended_once(
    product: Product, customer: Customer, run_id: str, *, meetings: int, created_at: str
) -> dict[str, Any]:
    """One record, complete; one job, finished once; one reading of each meeting."""
    record = await customer.record(DOMAIN, run_id)
    assert (record["status"], record["error"]) == ("complete", None)
    assert record["created_at"] == created_at
    assert record["summary"]["meetings_count"] == meetings
    assert record["summary"]["goals"]
    assert await product.look("SELECT key FROM tidings.kv_store") == [
        {"key": f"engagement:{DOMAIN}:{run_id}"}
    ]
    assert await product.look("SELECT FROM tidings.jobs") == []
    assert await product.look("SELECT status, attempt <= 3 AS soon FROM tidings.finished_jobs") == [
        {"status": "completed", "soon": True}
    ]
    assert await product.look("SELECT status FROM tidings.runs") == [{"status": "complete"}]
    (counted,) = await product.look(
        "SELECT count(*), count(DISTINCT meeting_id) AS meetings FROM tidings.meeting_findings"
    )
    assert counted == {"count": meetings, "meetings": meetings}
    events = await product.look(
        "SELECT event FROM tidings.outbox WHERE topic = %s AND event <> 'progress'",
        f"run:{run_id}",
    )
    assert events == [{"event": "complete"}]
    summary: dict[str, Any] = record["summary"]
    return summary


async def begun(customer: Customer) -> tuple[str, str]:
    run_id = await customer.start(DOMAIN)
    return run_id, (await customer.record(DOMAIN, run_id))["created_at"]


async def test_killed_while_it_syncs(
    product: Product, product_settings: Settings, customer: Customer, fathom: FakeFathom
) -> None:
    await customer.http.post("/v1/secrets", json={"name": "fathom_api_key", "value": KEY})
    fathom.page_size = 2
    fathom.meetings = [meeting(n) for n in range(3)]
    fathom.script(NO_ANSWER)
    run_id, created_at = await begun(customer)
    async with worker_process(product_settings, TIDINGS_SECRET_KEY=secret_of(product)) as dies:
        await asyncio.wait_for(fathom.silent.wait(), PATIENCE)
        assert (await customer.record(DOMAIN, run_id))["progress"]["stage"] == "sync"
        await kill(dies)
    assert (await customer.record(DOMAIN, run_id))["status"] == "processing"
    async with product.working():
        assert await customer.ended(run_id) == "complete"
    await check_ended_once(product, customer, run_id, meetings=3, created_at=created_at)
    assert len(await customer.meetings(DOMAIN)) == 3


def secret_of(product: Product) -> str:
    assert product.settings.secret_key is not None
    return product.settings.secret_key.get_secret_value()


async def test_killed_while_it_matches(
    product: Product, product_settings: Settings, customer: Customer
) -> None:
    await customer.capture(meeting(1), meeting(2))
    run_id, created_at = await begun(customer)
    async with locks(product, 1) as (gate,):
        await gate.hold("meeting_invitees", "ACCESS EXCLUSIVE")
        async with worker_process(product_settings) as dies:
            await customer.reached(run_id, "match")
            await gate.waited_for("meeting_invitees")
            await kill(dies)
        await gate.release()
    async with product.working():
        assert await customer.ended(run_id) == "complete"
    await check_ended_once(product, customer, run_id, meetings=2, created_at=created_at)


async def test_killed_while_it_reads_goes_on_with_the_rest(
    product: Product, product_settings: Settings, customer: Customer
) -> None:
    await customer.capture(*(meeting(n) for n in range(5)))
    third = (await customer.meetings(DOMAIN))[2]
    run_id, created_at = await begun(customer)
    async with locks(product, 1) as (gate,):
        # Its reading cannot be stored while its row is held.
        await gate.hold_row("meetings", third["id"])
        async with worker_process(product_settings) as dies:
            await gate.waited_for(None, "%INTO tidings.meeting_findings%")
            read_before = await product.look(
                "SELECT meeting_id, created_at FROM tidings.meeting_findings ORDER BY 1"
            )
            assert len(read_before) == 2
            assert (await customer.record(DOMAIN, run_id))["progress"]["stage"] == "read"
            await kill(dies)
        await gate.release()
    async with product.working():
        assert await customer.ended(run_id) == "complete"
    await check_ended_once(product, customer, run_id, meetings=5, created_at=created_at)
    kept = await product.look(
        "SELECT meeting_id, created_at FROM tidings.meeting_findings WHERE meeting_id = ANY(%s) "
        "ORDER BY 1",
        [row["meeting_id"] for row in read_before],
    )
    assert kept == read_before
    assert (await customer.record(DOMAIN, run_id))["meetings_read"] == 5


@pytest.mark.parametrize(
    ("stage", "table"), [("reduce", "meeting_findings"), ("verify", "meeting_segments")]
)
async def test_killed_after_it_has_read(
    product: Product, product_settings: Settings, customer: Customer, stage: str, table: str
) -> None:
    await customer.capture(meeting(1))
    run_id, created_at = await begun(customer)
    async with locks(product, 2) as (saving, gate):
        await saving.hold("meeting_findings", "SHARE")
        async with worker_process(product_settings) as dies:
            await saving.waited_for("meeting_findings")
            async with asyncio.TaskGroup() as holding:
                # In the queue behind the worker, and before its next statement on that table.
                holding.create_task(gate.hold(table, "ACCESS EXCLUSIVE"))
                if stage == "reduce":
                    await gate.waited_for("meeting_findings", "LOCK TABLE %", user="postgres")
                await saving.release()
            await gate.waited_for(table)
            assert (await customer.record(DOMAIN, run_id))["progress"]["stage"] == stage
            await kill(dies)
        await gate.release()
    async with product.working():
        assert await customer.ended(run_id) == "complete"
    await check_ended_once(product, customer, run_id, meetings=1, created_at=created_at)


@pytest.mark.parametrize("is_rolled_back", [True, False])
async def test_killed_between_the_statements_that_finish(
    product: Product, product_settings: Settings, customer: Customer, is_rolled_back: bool
) -> None:
    await customer.capture(meeting(1))
    run_id, created_at = await begun(customer)
    async with locks(product, 1) as (gate,):
        # The job leaves its table and enters this one; the record comes after that.
        await gate.hold("finished_jobs", "SHARE")
        async with worker_process(product_settings) as dies:
            await customer.reached(run_id, "verify")
            backend = await gate.waited_for("finished_jobs", "%finish_job_v1%")
            assert (await customer.record(DOMAIN, run_id))["progress"]["stage"] == "verify"
            await kill(dies)
            if is_rolled_back:
                await product.look("SELECT pg_terminate_backend(%s, 60000)", backend)
        assert (await customer.record(DOMAIN, run_id))["status"] == "processing"
        await gate.release()
    async with product.working():
        assert await customer.ended(run_id) == "complete"
    await check_ended_once(product, customer, run_id, meetings=1, created_at=created_at)


async def test_killed_before_it_is_claimed_by_anybody(
    product: Product, product_settings: Settings, customer: Customer
) -> None:
    await customer.capture(meeting(1))
    async with worker_process(product_settings) as dies:
        await kill(dies)
    run_id, created_at = await begun(customer)
    async with product.working():
        assert await customer.ended(run_id) == "complete"
    await check_ended_once(product, customer, run_id, meetings=1, created_at=created_at)
