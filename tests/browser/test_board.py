"""A board in two tabs: what one changes the other sees, cards are dragged, an engine answers."""

import pytest
from playwright.async_api import expect

from acceptance.product import Product
from browser.visitor import Visitor

from factories.boards import make_board

pytestmark = pytest.mark.xdist_group("browser")


async def test_a_board_is_live(visitor: Visitor, product: Product) -> None:
    tenant = visitor.customer.organization.tenant
    session_id, _ = await make_board(product.system.db, tenant, "First", "Second")
    address = f"/brainstorms/{session_id}?by=status"
    page = visitor.page
    await page.goto(address)
    other = await visitor.tab(address)
    draft = page.get_by_label("Your idea")
    await draft.fill("half a thought")

    await other.get_by_label("Your idea").fill("Of the other tab")
    await other.get_by_role("button", name="Add", exact=True).click()
    await expect(other.get_by_label("Your idea")).to_have_value("")
    await expect(page.locator(".card")).to_have_count(3)
    await expect(draft).to_have_value("half a thought")

    column = page.locator('[data-column="discussed"]')
    card = page.locator(".card").filter(has_text="First")
    await card.drag_to(column, target_position={"x": 60, "y": 15})
    await expect(column.locator(".card")).to_contain_text("First")
    await expect(other.locator('[data-column="discussed"] .card')).to_contain_text("First")

    await card.locator(".vote").click()
    await expect(card.locator(".vote")).to_have_attribute("aria-pressed", "true")
    await page.get_by_label("What to do").select_option("similar")
    await page.get_by_role("button", name="Ask", exact=True).click()
    await expect(page.locator("#ai")).to_contain_text("No two ideas say the same.")
    await expect(other.locator("#ai")).to_contain_text("No two ideas say the same.")


async def test_a_board_fits_a_phone(visitor: Visitor, product: Product) -> None:
    tenant = visitor.customer.organization.tenant
    session_id, _ = await make_board(product.system.db, tenant, "A", "x" * 400)
    await visitor.page.set_viewport_size({"width": 390, "height": 800})
    for address in (
        "/brainstorms",
        f"/brainstorms/{session_id}",
        f"/brainstorms/{session_id}/slides",
    ):
        await visitor.page.goto(address)
        width = await visitor.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, address
