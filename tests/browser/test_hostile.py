"""What people say is data: markup stays text, any script reads, and long words do not break out."""

import pytest
import pytest_asyncio
from playwright.async_api import expect

from acceptance.product import Customer, Product
from browser.test_layout import assert_fits
from browser.visitor import House

from factories.meetings import meeting

DOMAIN = "acme.example"
SCRIPT = "<script>window.broken = 1</script>"
MARKUP = f"{SCRIPT}<img src=x onerror='window.broken = 2'>\"'>{{{{7*7}}}}"
LONG = "Donaudampfschifffahrtsgesellschaftskapitän" * 8
ARABIC = "هدفنا هو تقليل وقت التقارير إلى النصف"
SAID = [
    ("Ana", f"Our goal is to get rid of {MARKUP} before the summer."),
    (f"Bo {MARKUP}", f"The biggest challenge is that {LONG} takes too long for everybody here."),
    ("مريم", f"{ARABIC}. There is a real risk that the {LONG} slips."),
    ("Ana", "I would recommend that you escape <b>everything</b> & trust nothing."),
]
pytestmark = pytest.mark.xdist_group("browser")


@pytest_asyncio.fixture
async def hostile(product: Product) -> Customer:
    customer = await product.customer(name=f"House {MARKUP[:60]}")
    await customer.capture(
        meeting(1, said=SAID, title=f"Call {MARKUP}", people=[f"Bo {LONG[:200]}"]),
        meeting(2, said=SAID, title=f"{LONG}", default_summary={"markdown_formatted": MARKUP}),
        meeting(3, said=SAID, title=ARABIC),
    )
    await customer.complete(DOMAIN)
    return customer


@pytest.mark.parametrize("width", [1280, 390])
async def test_hostile_words_are_inert_and_fit(house: House, hostile: Customer, width: int) -> None:
    meetings = (await hostile.http.get("/v1/meetings")).json()["items"]
    paths = [
        "/",
        "/companies",
        f"/companies/{DOMAIN}",
        f"/companies/{DOMAIN}?edit=1",
        "/meetings",
        "/meetings?q=script",
        *(f"/meetings/{each['id']}?q=goal" for each in meetings),
    ]
    async with house.visit(hostile, viewport={"width": width, "height": 800}) as visitor:
        page = visitor.page
        for path in paths:
            await page.goto(path)
            await assert_fits(page, path)
            assert await page.evaluate("window.broken") is None
            assert await page.locator("main script, main img").count() == 0
        await page.goto(f"/companies/{DOMAIN}")
        await expect(page.locator(".lines").first).to_contain_text(SCRIPT)
        await page.locator(".lines a[data-source]").first.click()
        await expect(page.locator(".margin-quote blockquote")).to_contain_text(SCRIPT)
        await assert_fits(page, "with a source open")
        assert await page.evaluate("window.broken") is None
