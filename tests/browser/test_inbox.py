"""The inbox, live: a message appears without a reload, and what was looked at is read."""

from playwright.async_api import expect

from browser.visitor import Visitor

from factories.said import said


async def test_a_new_message_appears_and_is_read(visitor: Visitor) -> None:
    http, page = visitor.customer.http, visitor.page
    made = (await http.post("/v1/channels", json={"name": "Team", "kind": "chat"})).json()
    other = (await http.post("/v1/channels", json={"name": "Other", "kind": "chat"})).json()
    here, there = f"/v1/channels/{made['id']}", f"/v1/channels/{other['id']}"
    await http.post(f"{here}/messages", json={"items": [said(1, "The first of all")]})
    async with page.expect_response("**/v1/channels/*/read"):
        await page.goto(f"/inbox/{made['id']}")
    await expect(page.get_by_text("The first of all")).to_be_visible()
    await page.evaluate("window.stayed = true")
    async with page.expect_response("**/v1/channels/*/read"):
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
