"""Answers under the newest message: they come by themselves, and one click drafts one."""

import pytest
from playwright.async_api import expect

from acceptance.product import Product
from browser.visitor import Visitor
from tidings.base import clock

from factories.channels import make_channel

pytestmark = pytest.mark.xdist_group("browser")


async def test_a_proposed_answer_is_edited_and_drafted(visitor: Visitor, product: Product) -> None:
    page, customer = visitor.page, visitor.customer
    channel_id = await make_channel(product.system.db, customer.organization.tenant)
    rule = {"name": "Propose", "rule_type": "smart_reply"}
    assert (await customer.http.post("/v1/auto-responses", json=rule)).status_code == 201
    await page.goto(f"/inbox/{channel_id}")
    await expect(page.get_by_text("No messages yet")).to_be_visible()
    item = {
        "external_id": "m1",
        "sender": {"id": "bo", "name": "Bo"},
        "direction": "in",
        "body": "Can you send me the crate?",
        "sent_at": clock.now().isoformat(),
    }
    path = f"/v1/channels/{channel_id}/messages"
    assert (await customer.http.post(path, json={"items": [item]})).status_code == 200
    answers = page.locator("#answers li")
    await expect(answers).to_have_count(3)
    await answers.nth(0).get_by_text("Edit first").click()
    typed = answers.nth(0).get_by_role("textbox")
    await expect(typed).to_have_value("Yes, I will take care of it.")
    await typed.fill("Yes, tomorrow.")
    await answers.nth(0).locator("details").get_by_role("button").click()
    await expect(page.get_by_role("status")).to_contain_text("The answer is drafted.")
    await page.locator("#answers").get_by_role("link").click()
    await expect(page.get_by_text("Yes, tomorrow.").first).to_be_visible()
