"""API keys, the palette, and the KV store's debug page."""

import re

import httpx
import pytest
from playwright.async_api import expect

from acceptance.product import Product
from browser.visitor import DOMAIN, Visitor

pytestmark = pytest.mark.xdist_group("browser")


async def test_a_key_is_shown_once_works_and_is_revoked(visitor: Visitor, product: Product) -> None:
    page = visitor.page
    await page.goto("/settings/api-keys")
    await page.get_by_label("Name").fill("nightly import")
    await page.get_by_label("Role").select_option("member")
    await page.get_by_role("button", name="Make a key").click()
    secret = await page.get_by_label("New API key").input_value()
    assert secret.startswith("tk_")
    async with httpx.AsyncClient(base_url=product.url, trust_env=False) as http:
        headers = {"Authorization": f"Bearer {secret}"}
        assert (await http.get("/v1/meetings", headers=headers)).status_code == 200

        await page.goto("/settings/api-keys")
        await expect(page.get_by_label("New API key")).to_have_count(0)
        assert secret not in await page.content()
        row = page.locator("tr").filter(has_text="nightly import")
        await row.locator("summary").click()
        await row.get_by_role("button", name="Revoke it").click()
        await expect(page.get_by_role("status")).to_contain_text("The key is revoked.")
        await expect(row).to_contain_text("revoked")
        assert (await http.get("/v1/meetings", headers=headers)).status_code == 401


async def test_a_key_without_a_name_is_asked_for_one(visitor: Visitor) -> None:
    page = visitor.page
    visitor.complaints.allow("status of 400")
    await page.goto("/settings/api-keys")
    await page.get_by_label("Expires").select_option("30")
    await page.get_by_role("button", name="Make a key").click()
    await expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label("Expires")).to_have_value("30")


async def test_the_palette_chosen_stays(visitor: Visitor) -> None:
    page = visitor.page
    await page.emulate_media(color_scheme="light")
    await page.goto("/")
    paper = "() => getComputedStyle(document.body).backgroundColor"
    light = await page.evaluate(paper)
    await page.locator(".account > summary").click()
    dark = page.get_by_role("button", name="Dark")
    await dark.click()
    await expect(dark).to_have_attribute("aria-pressed", "true")
    assert await page.evaluate(paper) != light
    await page.goto("/meetings")
    # From the server, so that nothing flashes before a script has run.
    assert re.search(r'<html[^>]*data-theme="dark"', await page.content())
    assert await page.evaluate(paper) != light
    await page.locator(".account > summary").click()
    await page.get_by_role("button", name="Auto").click()
    assert await page.evaluate(paper) == light


async def test_keys_of_the_store_are_browsed_and_deleted(visitor: Visitor) -> None:
    page, customer = visitor.page, visitor.customer
    run_id = (await customer.summarise(DOMAIN))["run_id"]
    for name in ("a", "b", "c"):
        answer = await customer.http.put(f"/v1/kv/notes:{name}", json={"value": {"text": name}})
        assert answer.status_code in (200, 201), answer.text
    await page.goto("/kv")
    await page.get_by_role("link", name="engagement:", exact=True).click()
    await page.get_by_role("link", name=f"engagement:{DOMAIN}:{run_id}").click()
    value = page.get_by_label("Value")
    await expect(value).to_contain_text('"status": "complete"')

    await page.get_by_label("Keys that begin with").fill("notes:")
    await page.get_by_role("button", name="Browse").click()
    await expect(page.locator("tbody").last.locator("tr")).to_have_count(3)
    await page.get_by_role("link", name="notes:b").click()
    await page.get_by_text("Delete …", exact=True).click()
    await page.get_by_role("button", name="Delete it").click()
    await expect(page.get_by_role("status").first).to_contain_text("notes:b is deleted.")
    await expect(page.locator("tbody").last.locator("tr")).to_have_count(2)
    await page.get_by_text("Delete all of these …").click()
    await page.get_by_role("button", name="Delete them all").click()
    await expect(page.get_by_role("status").first).to_contain_text("2 keys")
    listed = (await customer.http.get("/v1/kv", params={"prefix": "notes:"})).json()
    assert listed["items"] == []
