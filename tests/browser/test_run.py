"""From a website to a summary, as the page follows the run."""

import pytest
from playwright.async_api import Page, Request, expect

from browser.held import HeldGateway
from browser.visitor import DOMAIN, Visitor

from factories.meetings import meeting

TIMED_OUT = "Engagement summary timed out after 60 seconds. Please try again."
pytestmark = pytest.mark.xdist_group("browser")


async def generate(page: Page, website: str = DOMAIN) -> None:
    await page.goto("/")
    await page.get_by_label("Company website").fill(website)
    await page.get_by_role("button", name="Generate").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(DOMAIN)
    await page.wait_for_load_state()  # its script follows the run, and has begun


def questions(page: Page) -> list[str]:
    """The addresses that the page polls, as it goes on."""
    asked: list[str] = []

    def hear(request: Request) -> None:
        if "/v1/engagement-status" in request.url:
            asked.append(request.url)

    page.on("request", hear)
    return asked


async def test_stages_come_live_and_then_the_summary(
    visitor: Visitor, gateway: HeldGateway
) -> None:
    page = visitor.page
    polled = questions(page)
    with gateway.hold(visitor.customer.organization.organization_id) as hold:
        await generate(page, f"https://www.{DOMAIN.upper()}:443/about?us")
        sentence = page.locator(".progress-sentence")
        await expect(sentence).to_have_text("Reading meeting 1 of 3")
        await page.evaluate("window.sameDocument = true")
        bar = page.get_by_role("progressbar")
        before = await bar.evaluate("bar => bar.value")
        hold.let()
        await expect(sentence).to_have_text("Reading meeting 2 of 3")
        assert await bar.evaluate("bar => bar.value") > before
        await expect(page.locator('[aria-current="step"]')).to_have_text("Read")
        hold.let(2)
        await expect(sentence).to_have_text("Gathering what was said")
        hold.open()
        await expect(page.get_by_role("heading", name="Goals")).to_be_visible()
    await expect(page.locator(".progress-sentence")).to_have_count(0)
    assert await page.evaluate("window.sameDocument")
    assert polled == []


async def test_without_events_the_page_asks_every_two_seconds(
    visitor: Visitor, gateway: HeldGateway
) -> None:
    page = visitor.page
    polled = questions(page)
    visitor.complaints.allow("ERR_FAILED")
    await page.route("**/v1/runs/*/events", lambda route: route.abort())
    with gateway.hold(visitor.customer.organization.organization_id) as hold:
        await generate(page)
        sentence = page.locator(".progress-sentence")
        await expect(sentence).to_have_text("Reading meeting 1 of 3")
        hold.let()
        await expect(sentence).to_have_text("Reading meeting 2 of 3")
        hold.open()
        await expect(page.get_by_role("heading", name="Goals")).to_be_visible()
    assert polled
    assert all(f"domain={DOMAIN}&run_id=" in address for address in polled)


async def test_after_a_minute_the_page_says_so_and_shows_what_comes_later(
    visitor: Visitor, gateway: HeldGateway
) -> None:
    page = visitor.page
    await page.clock.install()
    with gateway.hold(visitor.customer.organization.organization_id) as hold:
        await generate(page)
        await expect(page.locator(".progress-sentence")).to_have_text("Reading meeting 1 of 3")
        alert = page.get_by_role("alert")
        await page.clock.fast_forward(30_000)
        await expect(alert).to_be_hidden()
        await page.clock.fast_forward(30_000)
        await expect(alert).to_have_text(TIMED_OUT)
        await expect(page.locator(".progress-sentence")).to_be_hidden()
        hold.open()
        await expect(page.get_by_role("heading", name="Goals")).to_be_visible()
    await expect(alert).to_have_count(0)


async def test_a_cancelled_run_can_be_started_again(visitor: Visitor, gateway: HeldGateway) -> None:
    page = visitor.page
    with gateway.hold(visitor.customer.organization.organization_id):
        await generate(page)
        await page.get_by_role("button", name="Cancel").click()
        await expect(page.get_by_text("The last run was cancelled")).to_be_visible()
    await page.get_by_role("button", name="Generate").click()
    await expect(page.get_by_role("heading", name="Goals")).to_be_visible()


async def test_a_failed_run_says_why_and_can_be_tried_again(visitor: Visitor) -> None:
    page, customer = visitor.page, visitor.customer
    await customer.summarise(DOMAIN, engine="openai:gpt-4o-mini")
    await page.goto(f"/companies/{DOMAIN}")
    alert = page.get_by_role("alert")
    await expect(alert).to_contain_text("OPENAI_API_KEY not configured")
    await alert.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("heading", name="Goals")).to_be_visible()


async def test_a_refresh_never_pulls_away_what_is_read(
    visitor: Visitor, gateway: HeldGateway
) -> None:
    page, customer = visitor.page, visitor.customer
    await customer.complete(DOMAIN)
    await page.goto(f"/companies/{DOMAIN}")
    await customer.capture(meeting(4, said=[("Bo", "Our goal is to open in Kiel by autumn.")]))
    with gateway.hold(customer.organization.organization_id) as hold:
        await page.get_by_role("button", name="Refresh").click()
        await expect(page.locator(".run.slim .progress-sentence")).to_have_text(
            "Reading meeting 4 of 4"
        )
        await expect(page.get_by_role("heading", name="Goals")).to_be_visible()
        hold.open()
        notice = page.get_by_role("status").filter(has_text="A newer summary is ready.")
        await expect(notice).to_be_visible()
    await expect(page.locator(".lines").first).not_to_contain_text("Kiel")
    await notice.get_by_role("link", name="Show it").click()
    await expect(page.locator(".lines").first).to_contain_text("Kiel")
    await expect(page.get_by_role("heading", name="Since last time")).to_be_visible()


async def test_a_company_nobody_met_says_what_to_do(visitor: Visitor) -> None:
    page = visitor.page
    await page.goto("/companies/nobody.example")
    await expect(page.get_by_role("heading", name="Never summarised")).to_be_visible()
    await page.get_by_role("button", name="Generate").click()
    await expect(
        page.get_by_role("heading", name="No meetings with nobody.example")
    ).to_be_visible()


async def test_an_impossible_website_is_said_at_the_field(visitor: Visitor) -> None:
    page = visitor.page
    visitor.complaints.allow("status of 400")
    await page.goto("/")
    website = page.get_by_label("Company website")
    await website.fill("not a website")
    await page.get_by_role("button", name="Generate").click()
    await expect(website).to_have_value("not a website")
    await expect(website).to_have_attribute("aria-invalid", "true")
    await expect(page.locator(".field-error")).to_be_visible()


async def test_the_page_of_a_run_leads_to_its_result(
    visitor: Visitor, gateway: HeldGateway
) -> None:
    page, customer = visitor.page, visitor.customer
    with gateway.hold(customer.organization.organization_id) as hold:
        run_id = await customer.start(DOMAIN)
        await page.goto(f"/runs/{run_id}")
        await expect(page.locator(".progress-sentence")).to_have_text("Reading meeting 1 of 3")
        hold.open()
        await page.get_by_role("link", name="See the result").click()
    await expect(page.get_by_role("heading", name="Goals")).to_be_visible()
