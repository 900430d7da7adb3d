"""The inbox, live: a message appears without a reload, and what was looked at is read."""

import asyncio
from collections.abc import Callable

import pytest
from playwright.async_api import Response, expect

from acceptance.product import PATIENCE
from browser.visitor import Late, Visitor

from factories.said import said

pytestmark = pytest.mark.xdist_group("browser")


def is_read(position: int) -> Callable[[Response], bool]:
    """Whether it answers that all up to there was read; the same may be said twice."""
    return lambda answer: (
        answer.url.endswith("/read") and answer.request.post_data_json == {"position": position}
    )


async def test_a_new_message_appears_and_is_read(visitor: Visitor) -> None:
    http, page = visitor.customer.http, visitor.page
    made = (await http.post("/v1/channels", json={"name": "Team", "kind": "chat"})).json()
    other = (await http.post("/v1/channels", json={"name": "Other", "kind": "chat"})).json()
    here, there = f"/v1/channels/{made['id']}", f"/v1/channels/{other['id']}"
    await http.post(f"{here}/messages", json={"items": [said(1, "The first of all")]})
    async with page.expect_response(is_read(1)):
        await page.goto(f"/inbox/{made['id']}")
    await expect(page.get_by_text("The first of all")).to_be_visible()
    await page.evaluate("window.stayed = true")
    async with page.expect_response(is_read(2)):
        await http.post(
            f"{here}/messages", json={"items": [said(2, "Live <b>&</b> well", reply_to="m1")]}
        )
    await expect(page.get_by_text("Live <b>&</b> well")).to_be_visible()
    await http.post(f"{there}/messages", json={"items": [said(1), said(2)]})
    unread = page.get_by_role("link", name="Other").locator(".unread")
    await expect(unread).to_have_text("2")
    assert await page.evaluate("window.stayed")
    assert (await http.get(here)).json()["unread"] == 0
    await page.get_by_role("link", name="Threads").click()
    await page.get_by_role("link", name="2 messages").click()
    await expect(page.locator(".message")).to_have_count(2)
    await page.set_viewport_size({"width": 390, "height": 800})
    await page.get_by_role("link", name="Inbox").first.click()
    await expect(page.get_by_role("link", name="Other")).to_be_visible()


async def test_an_older_answer_that_comes_last_takes_nothing_away(visitor: Visitor) -> None:
    http, page = visitor.customer.http, visitor.page
    made = (await http.post("/v1/channels", json={"name": "Team", "kind": "chat"})).json()
    here, path = f"/inbox/{made['id']}", f"/v1/channels/{made['id']}/messages"
    await http.post(path, json={"items": [said(1, "The first of all")]})
    late = Late()

    def first_of_the_script(url: str) -> bool:
        return url.endswith(here) and not late.asked.is_set()

    async with page.expect_response(is_read(1)):
        await page.goto(here)
    await page.wait_for_load_state("networkidle")
    await page.route(first_of_the_script, late.hold)
    await http.post(path, json={"items": [said(2, "The second")]})
    await asyncio.wait_for(late.asked.wait(), PATIENCE)
    await http.post(path, json={"items": [said(3, "The third of all")]})
    await expect(page.get_by_text("The third of all")).to_be_visible()
    async with page.expect_event("requestfinished", lambda asked: asked.url.endswith(here)):
        late.come.set()
    await page.evaluate("() => new Promise(requestAnimationFrame)")
    await expect(page.get_by_text("The third of all")).to_be_visible()
