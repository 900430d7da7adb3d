"""A worker process is killed while it writes a summary: none is half there, and nothing is lost."""

from uuid import UUID

from acceptance.processes import kill, locks, worker_process
from acceptance.product import Product
from tidings.base.settings import Settings

from factories.channels import add_messages, make_channel


async def test_killed_between_the_statements_that_finish(
    product: Product, product_settings: Settings
) -> None:
    customer = await product.customer()
    tenant, db = customer.organization.tenant, product.system.db
    channel_id = await make_channel(db, tenant)
    await add_messages(db, tenant, channel_id, [("Ana", "We decided to move on Friday.")] * 120)
    asked = {"type": "channel", "reference": str(channel_id)}
    async with locks(product, 1) as (gate,):
        # The job is finished and the summary is written; its entry of the cache is not yet.
        run_id = (await customer.http.post("/v1/summaries", json=asked)).json()["run_id"]
        await gate.hold("conversation_summaries", "SHARE")
        async with worker_process(product_settings) as dies:
            backend = await gate.waited_for(
                "conversation_summaries", "%INTO tidings.conversation_summaries%"
            )
            windows = await product.look("SELECT key, created_at FROM tidings.summary_cache")
            assert len(windows) == 2
            await kill(dies)
            await product.look("SELECT pg_terminate_backend(%s, 60000)", backend)
        await gate.release()
    assert await product.look("SELECT FROM tidings.conversation_summaries") == []
    async with product.working():
        assert await customer.ended(run_id) == "complete"
    (summary,) = await product.look("SELECT id, message_count FROM tidings.conversation_summaries")
    assert summary["message_count"] == 120
    kept = await product.look(
        "SELECT key, created_at FROM tidings.summary_cache WHERE kind = 'window'"
    )
    assert sorted(row["key"] for row in kept) == sorted(row["key"] for row in windows)
    assert {row["created_at"] for row in kept} == {row["created_at"] for row in windows}
    again = await customer.http.post("/v1/summaries", json=asked)
    assert (again.status_code, UUID(again.json()["id"])) == (200, summary["id"])
