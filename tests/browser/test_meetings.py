"""Meetings: search, one with its transcript, upload."""

import re

import pytest
from playwright.async_api import FilePayload, expect

from browser.visitor import Visitor

GOOD = b"""WEBVTT

00:00:01.000 --> 00:00:05.000
<v Ana>Our goal is to move the depot in March.

00:00:06.000 --> 00:00:09.000
<v Bo>The biggest challenge is the lease.
"""
BAD = b"""1
00:00:01,000 --> 00:00:05,000
Ana: hello

2
00:00:99,000 --> 00:00:09,000
Bo: hello
"""
pytestmark = pytest.mark.xdist_group("browser")


async def test_search_marks_what_was_said_as_one_types(reader: Visitor) -> None:
    page = reader.page
    await page.goto("/meetings")
    await expect(page.locator("tbody tr")).to_have_count(19)
    await page.evaluate("window.sameDocument = true")
    await page.get_by_role("searchbox", name="What was said").nth(1).fill("traffic light")
    await expect(page.locator("#results mark").first).to_be_visible()
    marked = {text.lower() for text in await page.locator("#results mark").all_text_contents()}
    assert marked <= {"traffic", "light", "lights"}
    await expect(page).to_have_url(re.compile("/meetings\\?q=traffic(%20|\\+)light"))
    assert await page.evaluate("window.sameDocument")
    await expect(page.locator("#results time[data-local]")).to_have_count(0)

    await page.locator(".snippet-at").first.click()
    segment = page.locator(".segment:target")
    await expect(segment).to_be_in_viewport()
    await expect(segment.locator("mark").first).to_be_visible()
    await expect(page.get_by_role("navigation", name="Hits in this meeting")).to_be_visible()


async def test_the_field_in_the_header_searches_from_anywhere(reader: Visitor) -> None:
    page = reader.page
    await page.goto("/companies")
    await page.get_by_label("Search what was said").fill("zebra crossing")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    await expect(page.get_by_text("Nobody said “zebra crossing”")).to_be_visible()


async def test_a_company_nobody_could_have_is_said_at_the_field(reader: Visitor) -> None:
    page = reader.page
    # Leaving the field asks once, and the press at once again, which htmx logs as an abort.
    reader.complaints.allow("status of 400", "htmx:afterRequest", "htmx:sendAbort")
    await page.goto("/meetings")
    await page.get_by_label("Company").fill("no company")
    await page.get_by_role("button", name="Find").click()
    company = page.get_by_label("Company")
    await expect(company).to_have_value("no company")
    await expect(page.get_by_role("alert")).to_contain_text("The domain may hold")


async def test_the_good_files_are_kept_and_the_bad_one_is_named(visitor: Visitor) -> None:
    page = visitor.page
    await page.goto("/meetings/upload")
    files = [
        FilePayload(name="depot move.vtt", mimeType="text/vtt", buffer=GOOD),
        FilePayload(name="broken.srt", mimeType="application/x-subrip", buffer=BAD),
    ]
    await page.get_by_label("Files").set_input_files(files)
    await page.get_by_role("button", name="Upload").click()
    heading = page.get_by_role("heading", name="2 files read, 1 meeting taken in")
    await expect(heading).to_be_visible()
    broken = page.locator(".file-results > li").filter(has_text="broken.srt")
    await expect(broken).to_contain_text("1 refused")
    await expect(broken).to_contain_text("line 6")

    await page.get_by_label("More files").set_input_files(files[:1])
    await page.get_by_role("button", name="Upload").click()
    await expect(page.locator(".file-results")).not_to_contain_text("new")
    await page.get_by_role("link", name="See the meetings").click()
    await expect(page.locator("tbody tr")).to_have_count(4)
    await page.get_by_role("link", name="depot move").click()
    await expect(page.locator(".said").first).to_have_text(
        "Our goal is to move the depot in March."
    )
