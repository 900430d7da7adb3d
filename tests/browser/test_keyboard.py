"""Everything by keyboard, with a focus that can be seen."""

import pytest
from playwright.async_api import Page, expect

from acceptance.product import Customer
from browser.visitor import House, Visitor
from tidings.base import clock

pytestmark = pytest.mark.xdist_group("browser")

REACHABLE = """() => {
  const found = [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
    .filter((e) => e.checkVisibility({ visibilityProperty: true }))
    .filter((e) => !e.disabled && e.tabIndex >= 0);
  found.forEach((e, place) => { e.dataset.place = place; });
  return found.length;
}"""
FOCUSED = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const style = getComputedStyle(e);
  const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  return [Number(e.dataset.place ?? -1), seen, e.outerHTML.slice(0, 120)];
}"""


async def tab_through(page: Page) -> None:
    """Press Tab until it comes round; every control must have had a visible focus."""
    await page.evaluate("document.activeElement.blur()")
    count = await page.evaluate(REACHABLE)
    assert count > 3
    reached: set[int] = set()
    for _ in range(count + 5):
        await page.keyboard.press("Tab")
        focused = await page.evaluate(FOCUSED)
        if focused is None or focused[0] in reached:
            continue
        place, is_seen, html = focused
        assert is_seen, f"the focus cannot be seen on {html}"
        reached.add(place)
    assert set(range(count)) <= reached


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/meetings",
        "/meetings/upload",
        "/approvals",
        "/inbox",
        "/rules",
        "/brainstorms",
        "/settings/sending",
        "/companies/northwind.example",
        "/companies/calder.example?edit=1",
        "/kv?prefix=engagement:",
        "/settings/api-keys",
        "/settings/members",
        "/settings/password",
        "/settings/ai",
    ],
)
async def test_tab_reaches_everything(reader: Visitor, path: str) -> None:
    await reader.page.goto(path)
    await tab_through(reader.page)


async def test_tab_reaches_everything_of_signing_in(house: House) -> None:
    async with house.browser() as (_, page, _complaints):
        await page.goto("/sign-in")
        await tab_through(page)


async def test_the_first_tab_skips_to_the_content(reader: Visitor) -> None:
    page = reader.page
    await page.goto("/meetings")
    await page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()


async def test_single_keys_search_explain_and_go(reader: Visitor) -> None:
    page = reader.page
    await page.clock.set_fixed_time(clock.now())  # g waits 1.5 seconds for its letter, no longer
    await page.goto("/")
    await page.locator("h1").click()
    await page.keyboard.press("/")
    search = page.get_by_label("Search what was said")
    await expect(search).to_be_focused()
    await page.keyboard.type("g m ? /")
    await expect(search).to_have_value("g m ? /")
    await search.blur()

    await page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    await expect(dialog).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()

    for letter, path in (("m", "/meetings"), ("c", "/companies"), ("k", "/kv"), ("h", "/")):
        await page.keyboard.press("g")
        await page.keyboard.press(letter)
        await expect(page).to_have_url(path)
        await page.wait_for_load_state()  # the next page's own script listens from then on


async def test_single_keys_can_be_switched_off(reader: Visitor) -> None:
    page = reader.page
    await page.goto("/meetings")
    await page.get_by_role("button", name="Keys").click()
    await page.get_by_label("Single-letter keys are on").uncheck()
    await page.get_by_role("button", name="Close").click()
    await page.reload()
    await page.locator("h1").click()
    await page.keyboard.press("?")
    await page.keyboard.press("/")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(page.get_by_label("Search what was said")).not_to_be_focused()


async def test_menus_open_and_close_by_keyboard(reader: Visitor, sample: Customer) -> None:
    page = reader.page
    await page.goto("/companies/northwind.example")
    export = page.locator("summary").filter(has_text="Export")
    await export.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("link", name="Markdown")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Markdown")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("link", name="Markdown")).to_be_hidden()
    await expect(export).to_be_focused()
