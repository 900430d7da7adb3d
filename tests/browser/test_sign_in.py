"""Signing in and out."""

import pytest
from playwright.async_api import expect

from acceptance.product import Customer, Product
from browser.visitor import House, Visitor, one_time_token, owner_email

PASSWORD = "correct horse battery staple"
pytestmark = pytest.mark.xdist_group("browser")


async def test_a_one_time_link_signs_in_once(
    house: House, product: Product, customer: Customer
) -> None:
    link = f"/sign-in/link/{await one_time_token(product, customer)}"
    async with house.browser() as (_, page, complaints):
        await page.goto(link)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page).to_have_url(f"{product.url}/")
        await expect(page.get_by_role("navigation", name="Main")).to_be_visible()

        await page.goto(link)
        complaints.allow("status of 401")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("heading")).to_have_text("This link no longer works")


async def test_a_page_asked_for_comes_after_signing_in_by_password(
    visitor: Visitor, house: House, product: Product
) -> None:
    page = visitor.page
    await page.goto("/settings/password")
    await page.get_by_label("New password", exact=True).fill(PASSWORD)
    await page.get_by_label("New password again").fill(PASSWORD)
    await page.get_by_role("button", name="Set the password").click()
    await expect(page.get_by_role("status").get_by_text("Your password is set.")).to_be_visible()

    async with house.browser() as (_, other, complaints):
        complaints.allow("status of 401")
        await other.goto("/meetings")
        email = other.get_by_label("Email")
        await email.fill(owner_email(visitor.customer))
        await other.get_by_label("Password", exact=True).fill("not the password")
        await other.get_by_role("button", name="Sign in").click()
        await expect(other.get_by_role("alert")).to_contain_text("is not right")
        await expect(email).to_have_value(owner_email(visitor.customer))
        await expect(other.get_by_label("Password", exact=True)).to_be_focused()

        await other.get_by_label("Password", exact=True).fill(PASSWORD)
        await other.get_by_role("button", name="Sign in").click()
        await expect(other).to_have_url(f"{product.url}/meetings")


async def test_what_is_missing_is_said_at_its_field(house: House) -> None:
    async with house.browser() as (_, page, complaints):
        complaints.allow("status of 400")
        await page.goto("/sign-in")
        await page.get_by_label("Email").fill("ada@example.com")
        await page.get_by_role("button", name="Sign in").click()
        password = page.get_by_label("Password", exact=True)
        await expect(password).to_have_attribute("aria-invalid", "true")
        await expect(password).to_have_accessible_description("Fill this in.")
        await expect(page.get_by_label("Email")).to_have_value("ada@example.com")


async def test_signing_out_ends_the_session(visitor: Visitor, product: Product) -> None:
    page = visitor.page
    await page.goto("/")
    await page.locator(".account > summary").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_text("You are signed out.")).to_be_visible()
    await page.goto("/companies")
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
