"""The queue by keyboard: move, approve, reject with a reason, edit."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from acceptance.product import PATIENCE, Customer
from browser.visitor import Late, Visitor
from tidings.approvals.decisions import Choice, decide_one
from tidings.approvals.draft import NewApproval, draft
from tidings.approvals.read import list_approvals
from tidings.base.cursor import Page

pytestmark = pytest.mark.xdist_group("browser")

QUEUE = re.compile(r"/approvals($|\?)")


async def propose(visitor: Visitor, product, *names: str) -> None:
    tenant = visitor.customer.organization.tenant
    async with product.system.db.tenant_transaction(tenant) as transaction:
        for name in names:
            to = f"{name}@example.com"
            draft(
                transaction,
                NewApproval(type="email", channel="email", to=to, content=f"Hello {name}."),
            )


async def states(customer: Customer, product) -> dict[str, tuple[str, str]]:
    found = await list_approvals(product.system.db, customer.organization.tenant, Page(50))
    return {one.to.partition("@")[0]: (one.status, one.problem) for one in found.items}


async def test_the_queue_by_keyboard(visitor: Visitor, product) -> None:
    # The newest stands first: dora, cleo, bea, ana.
    await propose(visitor, product, "ana", "bea", "cleo", "dora")
    page = visitor.page
    await page.goto("/approvals")
    await page.keyboard.press("j")
    await expect(page.locator("article").nth(0)).to_be_focused()
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("k")
    await expect(page.locator("article").nth(1)).to_be_focused()
    await page.keyboard.press("a")
    await expect(page.get_by_text("Approved. It leaves within the policy.")).to_be_visible()
    # The next one is at hand: bea, the second of three.
    await expect(page.locator("article").nth(1)).to_be_focused()
    await page.keyboard.press("k")
    await page.keyboard.press("r")
    await page.keyboard.type("Not now")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Rejected.", exact=True)).to_be_visible()
    await expect(page.locator("article").nth(0)).to_be_focused()
    await page.keyboard.press("x")
    await page.get_by_role("button", name="Approve ticked").click()
    await expect(page.get_by_text("1 approved.")).to_be_visible()
    await page.wait_for_load_state()  # its script listens from then on
    await page.keyboard.press("j")
    await page.keyboard.press("e")
    await page.get_by_label("Text").fill("Dear Ana.")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved. It waits for approval.")).to_be_visible()
    found = await states(visitor.customer, product)
    assert found["ana"] == ("pending", "")
    assert found["dora"] == ("rejected", "Not now")
    assert found["bea"][0] != "pending"
    assert found["cleo"][0] != "pending"


async def test_a_new_draft_appears_by_itself(visitor: Visitor, product) -> None:
    await visitor.page.goto("/approvals")
    await expect(visitor.page.get_by_text("Nothing waits for you")).to_be_visible()
    await propose(visitor, product, "eve")
    await expect(visitor.page.get_by_text("Hello eve.")).to_be_visible()
    # Somebody else decides: it goes, unless one is at work in it.
    page = visitor.page
    await page.get_by_text("Reject …").click()
    await page.get_by_label("Why not").fill("Not")
    tenant = visitor.customer.organization.tenant
    (eve,) = (await list_approvals(product.system.db, tenant, Page(1))).items
    await propose(visitor, product, "zoe")
    await expect(page.get_by_text("Hello zoe.")).to_be_hidden()
    await page.get_by_label("Why not").fill("")
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("Hello zoe.")).to_be_visible()
    await page.get_by_role("link", name="eve@example.com", exact=True).click()
    async with product.system.db.tenant_transaction(tenant) as transaction:
        await decide_one(transaction, "reject", Choice(eve.id), reason="Too late")
    await expect(page.get_by_text("Too late")).to_be_visible()


async def test_what_is_opened_while_the_page_looks_again_stays(visitor: Visitor, product) -> None:
    page = visitor.page
    await propose(visitor, product, "eve")
    late = Late()
    await page.goto("/approvals")
    await page.wait_for_load_state("networkidle")
    await page.route(QUEUE, late.hold)
    await propose(visitor, product, "zoe")
    await asyncio.wait_for(late.asked.wait(), PATIENCE)
    await page.keyboard.press("j")
    await page.keyboard.press("r")
    await page.keyboard.type("Not ")
    async with page.expect_event("requestfinished", lambda asked: bool(QUEUE.search(asked.url))):
        late.come.set()
    await page.evaluate("() => new Promise(requestAnimationFrame)")
    await page.keyboard.type("now")
    await expect(page.get_by_label("Why not")).to_have_value("Not now")
    await page.get_by_label("Why not").fill("")
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("Hello zoe.")).to_be_visible()
