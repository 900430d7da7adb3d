"""Every page at both widths and in both palettes: nothing sticks out, everything has a name."""

from typing import Literal

import pytest
from playwright.async_api import Page

from acceptance.product import Customer
from browser.visitor import House
from tidings.base.ids import uuid7

PATHS = [
    "/",
    "/companies",
    "/companies/northwind.example",
    "/companies/northwind.example?edit=1",
    "/companies/nobody.example",
    "/meetings",
    "/meetings?q=stock",
    "/meetings?q=zebra",
    "/meetings/upload",
    "/inbox",
    "/inbox?q=printers",
    "/inbox/new",
    "/summaries",
    "/brainstorms",
    "/kv?prefix=engagement:",
    "/intelligence",
    "/rules",
    "/rules/new",
    "/rules/log",
    "/rules/analytics",
    "/settings/api-keys",
    "/jobs",
    "/settings/members",
    "/settings/organization",
    "/settings/audit-log?verify=1",
    "/settings/ai",
    "/approvals",
    "/approvals?status=all",
    "/settings/sending",
    "/settings/gateways",
    "/settings/password",
    "/sign-in",
]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PROBLEMS = """() => {
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > window.innerWidth) {
    const wide = [...document.querySelectorAll("body *")]
      .filter((e) => e.getBoundingClientRect().right > window.innerWidth + 1).at(-1);
    found.push(`wider than the window: ${wide?.outerHTML.slice(0, 200)}`);
  }
  return found;
}"""
NAMES = """() => {
  const found = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  if (all("h1").length !== 1) found.push(`${all("h1").length} h1`);
  if (all("main").length !== 1) found.push("not one main");
  if (!document.documentElement.lang) found.push("no language");
  if (!document.title.endsWith("Tidings")) found.push("no title");
  const ids = all("[id]").map((e) => e.id);
  for (const id of ids.filter((id, at) => ids.indexOf(id) !== at)) found.push(`id twice: ${id}`);
  for (const e of all("[aria-labelledby], [aria-describedby]")) {
    for (const kind of ["aria-labelledby", "aria-describedby"]) {
      for (const id of (e.getAttribute(kind) ?? "").split(" ").filter(Boolean)) {
        if (!document.getElementById(id)) found.push(`${kind} leads nowhere: ${id}`);
      }
    }
  }
  for (const a of all('a[href^="#"]')) {
    const target = document.getElementById(decodeURIComponent(a.hash.slice(1)));
    if (!target) found.push(`dead anchor ${a.hash}`);
  }
  for (const e of all("input:not([type=hidden]), select, textarea")) {
    if (![...e.labels].some((l) => l.textContent.trim())) found.push(`no label: ${e.outerHTML}`);
  }
  for (const e of all("a[href], button, summary")) {
    const name = e.getAttribute("aria-label") || e.textContent.trim() || e.querySelector("title");
    if (!name) found.push(`no name: ${e.outerHTML.slice(0, 120)}`);
  }
  let level = 0;
  for (const e of all("main :is(h1, h2, h3, h4)")) {
    const next = Number(e.tagName[1]);
    if (next > level + 1) found.push(`h${level} is followed by h${next}: ${e.textContent}`);
    level = next;
  }
  return found;
}"""
pytestmark = pytest.mark.xdist_group("browser")


async def assert_fits(page: Page, where: str) -> None:
    """Nothing is wider than the window."""
    assert await page.evaluate(PROBLEMS) == [], where


@pytest.mark.parametrize("width", [1280, 390])
async def test_every_page_fits_and_everything_has_a_name_and_a_place(
    house: House, sample: Customer, width: int
) -> None:
    viewport = {"width": width, "height": 900}
    meetings = (await sample.http.get("/v1/meetings")).json()["items"]
    async with house.visit(sample, viewport=viewport) as visitor:
        for path in [*PATHS, f"/meetings/{meetings[0]['id']}?q=stock"]:
            await visitor.page.goto(path)
            for scheme in SCHEMES:
                await visitor.page.emulate_media(color_scheme=scheme)
                await assert_fits(visitor.page, f"{path}, {scheme}")
            assert await visitor.page.evaluate(NAMES) == [], path


async def test_a_missing_page_says_so_within_the_frame(house: House, sample: Customer) -> None:
    async with house.visit(sample) as visitor:
        visitor.complaints.allow("status of 404")
        await visitor.page.goto(f"/companies/northwind.example?run={uuid7()}")
        assert await visitor.page.evaluate(NAMES) == []
        await assert_fits(visitor.page, "404")
