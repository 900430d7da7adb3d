"""From the page of summaries to one of them, as the page follows the run."""

from datetime import timedelta

import pytest
from playwright.async_api import expect

from acceptance.product import Product
from browser.held import HeldGateway
from browser.visitor import Visitor
from tidings.base import clock

from factories.channels import add_messages, make_channel

pytestmark = pytest.mark.xdist_group("browser")

TALK = [
    ("Ana Lund", "The importer fails on every file above ten megabytes since the upgrade."),
    ("Ben Oaks", "We decided to roll back to version three on Friday."),
    ("Ana Lund", "I will write the migration notes by Friday."),
    ("Cleo Hart", "Who tells the customers in Bergen? <script>alert(1)</script>"),
]


async def test_catching_up_live_and_opening_a_source(
    visitor: Visitor, gateway: HeldGateway, product: Product
) -> None:
    page, tenant = visitor.page, visitor.customer.organization.tenant
    channel_id = await make_channel(product.system.db, tenant)
    start = clock.now() - timedelta(minutes=30)
    await add_messages(product.system.db, tenant, channel_id, TALK, start=start)
    await page.goto("/summaries")
    with gateway.hold(tenant.organization_id) as hold:
        await page.get_by_role("button", name="Catch up").click()
        await expect(page.locator(".progress-sentence")).to_have_text("Reading part 1 of 1")
        await page.evaluate("window.sameDocument = true")
        hold.open()
        await expect(page.get_by_role("heading", name="Decisions")).to_be_visible()
    assert await page.evaluate("window.sameDocument")
    marker = page.locator("#title-decisions + ul a[data-source]").first
    await marker.click()
    await expect(page.locator(".margin-quote blockquote")).to_have_text(TALK[1][1])
    await page.goto("/summaries")
    await page.get_by_role("button", name="Catch up").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("What is new")
    assert "/summaries/runs/" not in page.url  # answered from the cache
