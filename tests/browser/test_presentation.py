"""The presentation page to its reader: evidence, without JavaScript, in print, as a file."""

import json
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from acceptance.product import Customer
from browser.visitor import House, Visitor

HERE = "/companies/northwind.example"
pytestmark = pytest.mark.xdist_group("browser")


async def quotes_of(page: Page, numbers: str) -> list[str]:
    """The quotes of some sources, as the list of sources has them."""
    return [
        (await page.locator(f"#source-{number} blockquote").text_content() or "").strip()
        for number in numbers.split()
    ]


async def test_a_marker_opens_its_quote_beside_the_line(reader: Visitor, sample: Customer) -> None:
    page = reader.page
    latest = (await sample.http.get("/v1/companies/northwind.example")).json()["latest"]
    evidence = latest["summary"]["evidence"]["goals"][0][0]
    cited = (await sample.http.get(f"/v1/meetings/{evidence['meeting_id']}")).json()
    (said,) = [each for each in cited["segments"] if each["id"] == evidence["segment_id"]]

    await page.goto(HERE)
    line = page.get_by_role("region", name="Goals").locator("[data-line]").first
    await expect(line.locator(".words")).to_have_text(latest["summary"]["goals"][0])
    marker = line.locator("a[data-source]").first
    await marker.click()
    number = await marker.get_attribute("data-source")
    box = page.get_by_role("region", name=f"Source {number}", exact=True)
    await expect(box).to_be_in_viewport()
    await expect(box.locator("blockquote")).to_have_text(evidence["quote"])
    await expect(box.locator("figcaption span").first).to_have_text(said["speaker"])
    await expect(box.locator(".offset")).to_have_text(evidence["at"])
    play = box.get_by_role("link", name="Play from here")
    await expect(play).to_have_attribute("href", evidence["url"])
    await expect(marker).to_have_attribute("aria-expanded", "true")

    await page.keyboard.press("Escape")
    await expect(box).to_have_count(0)
    await expect(marker).to_be_focused()

    await marker.click()
    await box.get_by_role("link", name=cited["title"]).click()
    segment = page.locator(".segment:target")
    await expect(segment).to_be_in_viewport()
    await expect(segment.locator(".said")).to_have_text(said["text"])
    assert evidence["quote"] in said["text"]


async def test_more_sources_open_together_and_keys_step_through(reader: Visitor) -> None:
    page = reader.page
    await page.goto(HERE)
    more = page.locator(".theme").first.locator("a[data-source]").last
    numbers = await more.get_attribute("data-source") or ""
    assert len(numbers.split()) > 1
    await more.click()
    box = page.locator(".margin-quote")
    await expect(box.locator("blockquote")).to_have_text(await quotes_of(page, numbers))

    await page.keyboard.press("k")
    await expect(page.locator(".theme").first.locator("a[data-source]").nth(1)).to_be_focused()
    await expect(box.locator("blockquote")).to_have_count(1)
    await page.keyboard.press("j")
    await expect(more).to_be_focused()
    await box.get_by_role("button", name="Close").click()
    await expect(box).to_have_count(0)


async def test_on_a_narrow_screen_the_quote_stands_below_its_line(
    house: House, sample: Customer
) -> None:
    async with house.visit(sample, viewport={"width": 390, "height": 800}) as reader:
        page = reader.page
        await page.goto(HERE)
        await expect(page.locator(".margin-quote")).to_have_count(0)
        line = page.locator(".lines [data-line]").nth(1)
        await line.locator("a[data-source]").first.click()
        await expect(line.locator(".margin-quote blockquote")).to_be_in_viewport()


async def test_what_changed_leads_to_its_line(reader: Visitor) -> None:
    page = reader.page
    await page.goto(HERE)
    change = page.locator(".changes li").filter(has_text="New").locator("a[href^='#line-']").last
    target = await change.get_attribute("href") or ""
    await change.click()
    line = page.locator(f'[id="{target.removeprefix("#")}"]')
    await expect(line).to_be_in_viewport()
    await expect(line).to_contain_text("new")


async def test_without_javascript_markers_lead_to_sources_and_forms_work(
    house: House, customer: Customer
) -> None:
    await customer.complete("acme.example")
    async with house.visit(customer, java_script_enabled=False) as visitor:
        page = visitor.page
        await page.goto("/")
        await page.get_by_label("Company website").fill("acme.example")
        await page.get_by_role("button", name="Generate").click()
        # The page loads itself again until the run is done.
        await expect(page.get_by_role("button", name="Refresh")).to_be_visible()
        await page.locator(".lines a[data-source]").first.click()
        source = page.locator(".source-list > li:target")
        await expect(source.locator("blockquote")).to_be_in_viewport()
        await source.locator(".source-number").click()
        await expect(page.locator("[data-line]:target")).to_be_in_viewport()

        await page.get_by_role("link", name="Edit").click()
        await page.get_by_label("Goals, line 1").fill("A goal in our own words")
        await page.get_by_role("button", name="Save your version").click()
        await expect(page.locator(".lines").first).to_contain_text("A goal in our own words")
        await page.get_by_role("button", name="Undo").click()
        await expect(page.locator(".lines").first).not_to_contain_text("our own words")


async def test_in_print_the_sources_are_numbered_and_controls_are_gone(reader: Visitor) -> None:
    page = reader.page
    await page.goto(HERE)
    sources = page.locator(".source-list > li")
    count = await sources.count()
    assert count > 20
    await expect(sources.last).to_be_hidden()
    await page.emulate_media(media="print")
    for place in (0, count - 1):
        await expect(sources.nth(place).locator("blockquote")).to_be_visible()
        await expect(sources.nth(place).locator(".source-number")).to_have_text(str(place + 1))
    await expect(page.locator(".people li").last).to_be_visible()
    for control in ("header", ".actions", ".margin-quote", "footer", ".timeline + p + .rest"):
        await expect(page.locator(control).first).to_be_hidden()
    assert await page.locator("button:visible, input:visible").count() == 0
    assert len(await page.pdf()) > 10_000


async def test_the_summary_downloads_as_markdown_and_json(reader: Visitor, tmp_path: Path) -> None:
    page = reader.page
    await page.goto(HERE)
    goal = await page.locator(".lines .words").first.text_content() or ""
    for kind, ending in (("Markdown", "md"), ("JSON", "json")):
        await page.get_by_text("Export", exact=True).click()
        async with page.expect_download() as started:
            await page.get_by_role("link", name=kind).click()
        download = await started.value
        assert download.suggested_filename == f"northwind.example.{ending}"
        path = tmp_path / ending
        await download.save_as(path)
        text = path.read_text("utf-8")
        if ending == "json":
            assert json.loads(text)["summary"]["goals"][0] == goal
        else:
            assert goal in text
        await page.keyboard.press("Escape")
