"""Runs under other settings: deadlines, retries, retention. Each has a product of its own, because
workers on one database share its jobs."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from acceptance.conftest import OpenProduct
from acceptance.product import MODEL, PRICES, Customer
from tidings.ai.testing import NO_ANSWER, FakeProvider, limited, says, status
from tidings.base.settings import Settings

from factories.meetings import SAID, meeting

DOMAIN = "acme.example"
NOTHING: dict[str, Any] = {"findings": [], "topics": []}


async def test_a_provider_that_never_answers_ends_the_run(
    variant: OpenProduct, provider: FakeProvider
) -> None:
    changes = {
        "openai_base_url": provider.base_url, "model_prices": PRICES, "ai_timeout": 0.5,
        "ai_tries": 1, "engagement_deadline": 29.0,
    }  # fmt: skip
    async with variant(**changes) as product:
        customer = await product.customer()
        await customer.capture(meeting(1))
        provider.script(NO_ANSWER)
        run_id = await customer.start(DOMAIN, engine=MODEL)
        async with product.working():
            assert await customer.ended(run_id) == "error"
        record = await customer.record(DOMAIN, run_id)
        assert record["error"] == "OpenAI API error: no answer in time"


async def test_a_deadline_ends_a_run_that_hangs(
    variant: OpenProduct, provider: FakeProvider
) -> None:
    changes = {
        "openai_base_url": provider.base_url, "model_prices": PRICES, "engagement_deadline": 1.0,
    }  # fmt: skip
    async with variant(**changes) as product:
        customer = await product.customer()
        await customer.capture(meeting(1))
        provider.gate.clear()
        try:
            run_id = await customer.start(DOMAIN, engine=MODEL)
            async with product.working():
                assert await customer.ended(run_id) == "error"
        finally:
            provider.gate.set()
        record = await customer.record(DOMAIN, run_id)
        assert record["error"] == "It did not finish before its deadline; start it again."
        assert record["completed_at"] is not None


async def test_a_try_that_fails_is_repeated_and_reads_only_the_rest(
    variant: OpenProduct, provider: FakeProvider
) -> None:
    changes = {"openai_base_url": provider.base_url, "model_prices": PRICES, "ai_tries": 1}
    async with variant(**changes) as product:
        customer = await product.customer()
        await customer.capture(meeting(1), meeting(2), meeting(3))
        before = len(provider.asked)
        provider.script(says(NOTHING), limited("1"))
        run_id = await customer.start(DOMAIN, engine=MODEL)
        created_at = (await customer.record(DOMAIN, run_id))["created_at"]
        async with product.working():
            assert await customer.ended(run_id) == "complete"
        # One read, one refused; then the two that were missing and the reduction.
        assert len(provider.asked) - before == 5
        record = await customer.record(DOMAIN, run_id)
        assert record["created_at"] == created_at
        assert Decimal(record["cost"]) == Decimal("0.000840")  # four answers
        assert record["meetings_read"] == 3


async def test_a_meeting_deleted_during_the_run_is_no_source(
    variant: OpenProduct, provider: FakeProvider
) -> None:
    one_by_one = {
        "openai_base_url": provider.base_url, "model_prices": PRICES, "ai_concurrency": 1,
    }  # fmt: skip
    async with variant(**one_by_one) as product, product.working():
        await deleted_while_read(await product.customer(), provider)


async def deleted_while_read(customer: Customer, provider: FakeProvider) -> None:
    lost = "The goal is to be forgotten."
    await customer.capture(
        meeting(1, said=[("Bo", lost)]), meeting(2), meeting(3, said=[("Bo", lost)])
    )
    oldest = (await customer.meetings(DOMAIN))[-1]
    newest = (await customer.meetings(DOMAIN))[0]
    provider.gate.clear()
    before = len(provider.asked)
    run_id = await customer.start(DOMAIN, engine=MODEL)
    await provider.wait_for(before + 1)
    # The first is being read, the last is still to be.
    for each in (oldest, newest):
        assert (await customer.http.delete(f"/v1/meetings/{each['id']}")).status_code == 204
    provider.gate.set()
    assert await customer.ended(run_id) == "complete"
    # Nothing is asked about what is not there any more.
    assert len(provider.asked) - before == 3
    summary = (await customer.record(DOMAIN, run_id))["summary"]
    assert summary["goals"] == [f"Stated: {SAID[1][1]}"]
    cited = {
        one["meeting_id"]
        for entries in summary["evidence"].values()
        for found in entries
        for one in found
    }
    assert not cited & {oldest["id"], newest["id"]}


async def test_a_refusal_ends_the_run_with_a_sentence(variant: OpenProduct) -> None:
    async with FakeProvider() as refusing:
        refusing.script(*[status(401, "invalid_api_key")] * 5)
        changes = {
            "openai_base_url": refusing.base_url, "model_prices": PRICES,
            "engagement_deadline": 29.0,
        }  # fmt: skip
        async with variant(**changes) as product:
            customer = await product.customer()
            await customer.capture(meeting(1))
            run_id = await customer.start(DOMAIN, engine=MODEL)
            async with product.working():
                assert await customer.ended(run_id) == "error"
            record = await customer.record(DOMAIN, run_id)
            assert record["error"].startswith("OpenAI API error: 401 Unauthorized")


async def test_records_expire_but_for_the_newest_complete_one(
    variant: OpenProduct, product_settings: Settings
) -> None:
    async with variant(engagement_retention=100.0) as product:
        customer = await product.customer()
        async with product.working():
            await customer.capture(meeting(1))
            old = (await customer.summarise(DOMAIN))["run_id"]
            new = (await customer.summarise(DOMAIN))["run_id"]
            failed = (await customer.summarise(DOMAIN, sync=True))["run_id"]
            elsewhere = (await customer.summarise("other.example"))["run_id"]
        shift = quote(f"-c tidings.clock_shift={timedelta(seconds=200).total_seconds():.0f}s")
        url = f"{product_settings.database_url}?options={shift}"
        async with variant(database_url=url) as later:
            there = Customer(later.url, customer.key, customer.organization)
            later.customers.append(there)
            assert await there.records(DOMAIN, old) == []
            assert await there.records(DOMAIN, failed) == []
            assert (await there.record(DOMAIN, new))["status"] == "complete"
            assert (await there.record("other.example", elsewhere))["status"] == "complete"
            company = (await there.http.get(f"/v1/companies/{DOMAIN}")).json()
            assert [each["run_id"] for each in company["history"]] == [new]
            assert company["latest"]["run_id"] == new
