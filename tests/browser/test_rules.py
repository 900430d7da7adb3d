"""The rule manager at a browser: dragging, trying while typing, saving."""

import pytest
from playwright.async_api import expect

from acceptance.product import Product
from browser.visitor import Visitor
from tidings.base import clock
from tidings.replies.sample import load_replies_sample

from factories.channels import add_messages, make_channel

pytestmark = pytest.mark.xdist_group("browser")


async def test_rules_are_dragged_and_tried(visitor: Visitor, product: Product) -> None:
    page, tenant = visitor.page, visitor.customer.organization.tenant
    db = product.system.db
    await load_replies_sample(db, tenant)
    channel_id = await make_channel(db, tenant)
    said = [("Bo", "When is my invoice paid?"), ("Ana", "Hello")]
    await add_messages(db, tenant, channel_id, said, start=clock.now())
    await page.goto("/rules")
    names = page.locator(".rule-list h2")
    await expect(names).to_have_text(
        ["Away at the fair", "Invoices", "Outside of hours", "Propose answers"]
    )
    rows = page.locator("[data-rule]")
    await (
        rows.nth(3)
        .locator("[data-handle]")
        .drag_to(rows.nth(0), target_position={"x": 200, "y": 2})
    )
    await expect(page.get_by_role("status")).to_contain_text("The order is saved.")
    await expect(names.nth(0)).to_have_text("Propose answers")
    await page.get_by_role("button", name="Move Invoices up").click()
    await expect(names.nth(1)).to_have_text("Invoices")
    await expect(page.get_by_role("button", name="Move Invoices up")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(names.nth(0)).to_have_text("Invoices")
    await page.get_by_role("link", name="Invoices").click()
    await page.get_by_role("button", name="Try it on recent messages").click()
    tried = page.locator("#tried li p.tried-head")
    await expect(tried).to_have_count(2)
    await expect(page.locator("#tried")).to_contain_text("would answer")
    await expect(page.locator("#tried")).to_contain_text("does not match")
    await page.get_by_label("Words or phrases").fill("zebra")
    await expect(page.locator("#tried")).not_to_contain_text("would answer")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status")).to_contain_text("The rule is saved.")
