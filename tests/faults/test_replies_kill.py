"""A worker process is killed in the middle of answering: a message gets one reply and one row."""

from acceptance.processes import kill, locks, worker_process
from acceptance.product import Product
from tidings.base import clock
from tidings.base.settings import Settings

RULE = {"name": "Hours", "response_template": "Thank you, {sender_name}.", "cooldown": 60}


async def test_killed_between_the_draft_and_the_log(
    product: Product, product_settings: Settings
) -> None:
    customer = await product.customer()
    rule = await customer.http.post("/v1/auto-responses", json=RULE)
    assert rule.status_code == 201, rule.text
    channel = {"name": "Support", "kind": "chat", "timezone": "UTC"}
    channel_id = (await customer.http.post("/v1/channels", json=channel)).json()["id"]
    items = [
        {
            "external_id": f"m{n}",
            "sender": {"id": f"sender{n}", "name": "Bo"},
            "direction": "in",
            "body": "Hello?",
            "sent_at": clock.now().isoformat(),
        }
        for n in range(3)
    ]
    async with locks(product, 1) as (gate,):
        # The channel is moved on and the drafts are made; the log waits, nothing is committed.
        await gate.hold("message_auto_response_log", "SHARE")
        async with worker_process(product_settings) as dies:
            path = f"/v1/channels/{channel_id}/messages"
            assert (await customer.http.post(path, json={"items": items})).status_code == 200
            backend = await gate.waited_for(
                "message_auto_response_log", "%INTO tidings.message_auto_response_log%"
            )
            await kill(dies)
            await product.look("SELECT pg_terminate_backend(%s, 60000)", backend)
        await gate.release()
    for table in ("message_auto_response_log", "approvals", "auto_response_positions"):
        assert await product.look(f"SELECT FROM tidings.{table}") == []
    async with product.working():
        while await product.look("SELECT FROM tidings.jobs WHERE kind = 'replies.consider'"):
            await product.look("SELECT pg_sleep(0.01)")  # the processor is for what is waited for
    log = await product.look("SELECT message_id, outcome FROM tidings.message_auto_response_log")
    drafts = await product.look("SELECT message_id, content FROM tidings.approvals")
    assert [row["outcome"] for row in log] == ["drafted"] * 3
    assert len({row["message_id"] for row in log}) == 3
    assert {row["message_id"] for row in drafts} == {row["message_id"] for row in log}
    assert [row["content"] for row in drafts] == ["Thank you, Bo."] * 3
    (counted,) = await product.look("SELECT times_triggered FROM tidings.message_auto_responses")
    assert counted["times_triggered"] == 3
    (position,) = await product.look("SELECT position FROM tidings.auto_response_positions")
    assert position["position"] == 3
