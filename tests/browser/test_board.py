"""A board in two tabs: what one changes the other sees, cards are dragged, an engine answers."""

import asyncio
import re

import pytest
from playwright.async_api import Locator, WebSocketRoute, expect

from acceptance.product import Customer, Product
from browser.visitor import House, Visitor
from tidings.brainstorm.changes import NewIdea, add_ideas

from factories.boards import make_board
from factories.organizations import add_member

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


async def test_what_came_before_the_page_listened_shows(visitor: Visitor, product: Product) -> None:
    tenant = visitor.customer.organization.tenant
    session_id, _ = await make_board(product.system.db, tenant, "First")
    come = asyncio.Event()

    async def late(socket: WebSocketRoute) -> None:
        await come.wait()
        socket.connect_to_server()

    page = visitor.page
    await page.route_web_socket("**/v1/realtime/ws", late)
    await page.goto(f"/brainstorms/{session_id}")
    await expect(page.locator(".card")).to_have_count(1)
    async with product.system.db.tenant_transaction(tenant) as transaction:
        await add_ideas(transaction, session_id, NewIdea(text="Early"), ["Early"])
    come.set()
    await expect(page.locator(".card")).to_have_count(2)


async def test_two_people_see_each_other_point(
    house: House, visitor: Visitor, product: Product
) -> None:
    """On screens of different widths; and what both do at once is kept."""
    customer = visitor.customer
    organization = customer.organization
    member = await add_member(product.superuser_url, organization, "member")
    session_id, _ = await make_board(
        product.system.db, organization.tenant, "First", "Second", shared=((member, "editor"),)
    )
    address = f"/brainstorms/{session_id}?by=status"
    page = visitor.page
    await page.goto(address)
    email = f"member-{member.user_id}@example.com"
    narrow = {"width": 700, "height": 900}
    async with house.visit(customer, email, viewport=narrow) as other:
        await other.page.goto(address)
        for one in (page, other.page):
            await expect(one.locator("#here .avatar")).to_have_count(2)
        await expect(page.locator("#here")).to_contain_text("The Member")
        card = page.locator(".card").filter(has_text="Second")
        mark = page.locator(".cursor")
        await other.page.locator(".card").filter(has_text="Second").hover()
        await expect(mark).to_have_text("The Member")
        over, shown = await card.bounding_box(), await mark.bounding_box()
        assert over
        assert shown
        # The same card, in its middle, though the columns stand otherwise there.
        assert abs(shown["x"] - over["x"] - over["width"] / 2) < 3
        assert abs(shown["y"] - over["y"] - over["height"] / 2) < 3
        await other.page.locator("h1").hover()
        await expect(mark).to_have_count(0)

        # Half a thought survives what the other does, and is still an edit of what was read.
        await card.get_by_text("Edit").click()
        words = card.get_by_label("Idea", exact=True)
        await words.fill("Second, of mine")
        theirs = other.page.locator(".card").filter(has_text="Second")
        await theirs.locator(".vote").click()
        await expect(theirs.locator(".vote")).to_have_attribute("aria-pressed", "true")
        await page.locator(".card").filter(has_text="First").locator(".vote").click()
        await expect(page.locator(".vote[aria-pressed=true]")).to_have_count(1)
        await expect(words).to_have_value("Second, of mine")
        await card.get_by_role("button", name="Save").click()
        await expect(theirs).to_contain_text("Second, of mine")

        await other.page.get_by_label("Timer").fill("3")
        await other.page.get_by_role("button", name="Start").click()
        for one in (page, other.page):
            await expect(one.get_by_role("timer")).to_contain_text(re.compile(r"2:\d\d"))
        await page.get_by_role("button", name="Stop the timer").click()
        await expect(other.page.get_by_role("timer")).to_have_count(0)
    await expect(page.locator("#here .avatar")).to_have_count(1)


async def test_cards_are_moved_by_keyboard_and_come_back(
    visitor: Visitor, product: Product
) -> None:
    tenant = visitor.customer.organization.tenant
    session_id, _ = await make_board(product.system.db, tenant, "First", "Second", "Third")
    page = visitor.page
    await page.goto(f"/brainstorms/{session_id}?by=status")
    card = page.locator(".card").filter(has_text="First")
    await card.focus()
    await page.keyboard.press("Alt+ArrowDown")
    await expect(page.locator("#said")).to_have_text("Moved to New, place 2 of 3.")
    await expect(card).to_be_focused()
    await page.keyboard.press("Alt+ArrowRight")
    await expect(page.locator('[data-column="discussed"] .card')).to_contain_text("First")
    await expect(card).to_be_focused()
    await card.locator(".vote").press("Enter")
    await expect(card.locator(".vote")).to_have_attribute("aria-pressed", "true")
    await expect(card.locator(".vote")).to_be_focused()

    await card.get_by_text("Edit").click()
    await card.get_by_role("button", name="Delete").click()
    await expect(card).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator("#notices")).to_contain_text("The idea is back.")
    await expect(card.locator(".vote")).to_have_attribute("aria-pressed", "true")

    await page.get_by_label("What to do").select_option("gaps")
    await page.get_by_role("button", name="Ask", exact=True).click()
    offer = page.locator(".offers li").first
    await offer.get_by_role("button").click()
    await expect(offer).to_contain_text("On the board")
    await expect(page.locator(".card")).to_have_count(4)


async def test_a_card_is_dragged_by_a_finger(
    house: House, customer: Customer, product: Product
) -> None:
    """By its handle, and Escape breaks it off."""
    session_id, _ = await make_board(product.system.db, customer.organization.tenant, "First", "B")
    phone = {"viewport": {"width": 390, "height": 800}, "has_touch": True}
    async with house.visit(customer, **phone) as visitor:
        page = visitor.page
        await page.goto(f"/brainstorms/{session_id}?by=status")
        await page.wait_for_load_state()
        fingers = await visitor.context.new_cdp_session(page)
        card = page.locator(".card").filter(has_text="First")
        column = page.locator('[data-column="discussed"]')

        async def touch(kind: str, *places: dict[str, float]) -> None:
            await fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

        async def middle(of: Locator) -> dict[str, float]:
            box = await of.bounding_box()
            assert box
            return {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}

        await column.scroll_into_view_if_needed()
        above, below = await middle(card.locator("[data-handle]")), await middle(column)
        await touch("touchStart", above)
        await touch("touchMove", below)
        await expect(page.locator(".drag-ghost")).to_have_text("First")
        await expect(column.locator(".drop-mark")).to_have_count(1)
        await page.keyboard.press("Escape")
        await expect(page.locator(".drag-ghost, .drop-mark")).to_have_count(0)
        await touch("touchEnd")
        await expect(column.locator(".card")).to_have_count(0)

        await touch("touchStart", above)
        await touch("touchMove", below)
        await expect(column.locator(".drop-mark")).to_have_count(1)
        await touch("touchEnd")
        await expect(column.locator(".card")).to_contain_text("First")
        await expect(page.locator(".drag-ghost, .drop-mark, .dragged")).to_have_count(0)


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
