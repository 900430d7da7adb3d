"""The organization's own version of a summary."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from acceptance.product import Customer
from browser.visitor import DOMAIN, Visitor

HERE = f"/companies/{DOMAIN}"
pytestmark = pytest.mark.xdist_group("browser")


@pytest_asyncio.fixture
async def editor(visitor: Visitor) -> AsyncIterator[Visitor]:
    """Somebody with a summary to edit."""
    await visitor.customer.complete(DOMAIN)
    await visitor.page.goto(f"{HERE}?edit=1")
    yield visitor


async def record(customer: Customer) -> object:
    """What the API says of the newest summary."""
    answer = await customer.http.get(f"/v1/companies/{DOMAIN}")
    return answer.json()["latest"]["summary"]


async def test_a_line_is_edited_another_hidden_and_both_undone(editor: Visitor) -> None:
    page = editor.page
    before = await record(editor.customer)
    original = await page.get_by_label("Goals, line 1").input_value()
    challenge = await page.get_by_label("Challenges, line 1").input_value()
    await page.get_by_label("Goals, line 1").fill("Half the reporting time, by July")
    hide = page.locator("[data-edit-line]").filter(has=page.get_by_label("Challenges, line 1"))
    await hide.get_by_label("Hide").check()
    await page.get_by_role("button", name="Save your version").click()

    await expect(page.get_by_role("status")).to_contain_text("Your version is saved.")
    goals = page.get_by_role("region", name="Goals")
    await expect(goals.locator(".words").first).to_have_text("Half the reporting time, by July")
    challenges = page.get_by_role("region", name="Challenges")
    await expect(challenges.get_by_text(challenge)).to_have_count(0)
    await expect(page.locator(".provenance")).to_contain_text("1 edited, 1 hidden")
    await goals.get_by_text("edited by The Owner").click()
    await expect(goals.get_by_text(original)).to_be_visible()
    await page.get_by_role("link", name="Show the record").click()
    await expect(goals.locator(".words").first).to_have_text(original)
    assert await record(editor.customer) == before

    await page.goto(f"{HERE}?edit=1")
    await page.get_by_label("Goals, line 1").fill("Something else")
    await page.get_by_role("button", name="Save your version").click()
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("status")).to_contain_text("Undone.")
    await expect(goals.locator(".words").first).to_have_text("Half the reporting time, by July")


async def test_the_original_comes_back_by_a_press(editor: Visitor) -> None:
    page = editor.page
    line = page.get_by_label("Goals, line 1")
    original = await line.input_value()
    await line.fill("Half the time")
    await page.get_by_role("button", name="Save your version").click()
    await page.get_by_role("link", name="Edit").click()
    await expect(line).to_have_value("Half the time")
    await page.get_by_role("button", name="Use the original").click()
    await expect(line).to_have_value(original)
    await expect(line).to_be_focused()
    await page.get_by_role("button", name="Save your version").click()
    await expect(page.locator(".lines .words").first).to_have_text(original)


async def test_of_two_tabs_the_second_is_told_and_keeps_its_words(editor: Visitor) -> None:
    first = editor.page
    second = await editor.tab(f"{HERE}?edit=1")
    editor.complaints.allow("status of 412")
    for page, text in ((first, "What the first tab says"), (second, "What the second says")):
        await page.get_by_label("Goals, line 1").fill(text)
    await second.get_by_label("Risks, line 1").fill("A risk in other words")
    await first.get_by_role("button", name="Save your version").click()
    await expect(first.get_by_role("status")).to_contain_text("saved")

    await second.get_by_role("button", name="Save your version").click()
    alert = second.get_by_role("alert")
    await expect(alert).to_contain_text("saved another version while you were editing")
    line = second.get_by_label("Goals, line 1")
    await expect(line).to_have_value("What the second says")
    await expect(line).to_have_accessible_description(
        re.compile("^Saved meanwhile: .?What the first tab says")
    )
    await expect(second.get_by_label("Risks, line 1")).to_have_value("A risk in other words")

    await second.get_by_role("button", name="Save your version").click()
    await expect(second.locator(".lines .words").first).to_have_text("What the second says")


async def test_leaving_with_unsaved_words_asks_first(editor: Visitor) -> None:
    page = editor.page
    await page.get_by_label("Goals, line 1").fill("Not saved")
    asked: list[str] = []

    async def stay(dialog: object) -> None:
        asked.append(dialog.type)  # type: ignore[attr-defined]
        await dialog.dismiss()  # type: ignore[attr-defined]

    page.once("dialog", stay)
    await page.get_by_role("link", name="Leave without saving").click(no_wait_after=True)
    await expect(page.get_by_label("Goals, line 1")).to_have_value("Not saved")
    assert asked == ["beforeunload"]
