"""A person at a browser, signed in to their organization, whose browser complains about nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Route

from acceptance.product import Customer, Product
from tidings.tenancy.sign_in import Client, issue_link, sign_in_by_link

DOMAIN = "acme.example"


@dataclass
class Complaints:
    """What a browser had to complain about; `allowed` are words of what a test brings about."""

    allowed: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", lambda error: self.heard.append(f"page error: {error.error}"))
        context.on("requestfailed", self._failed)

    def allow(self, *words: str) -> None:
        """What the console or a request may say, such as `status of 412`."""
        self.allowed.extend(words)

    @property
    def unexpected(self) -> list[str]:
        return [said for said in self.heard if not any(word in said for word in self.allowed)]

    def _console(self, message: ConsoleMessage) -> None:
        # A violation of the content security policy is an error on the console, too.
        if message.type in ("error", "warning"):
            self.heard.append(f"console {message.type}: {message.text}")

    def _failed(self, request: Request) -> None:
        # Leaving a page ends its event stream, and a download is no page: both say ERR_ABORTED.
        if request.failure != "net::ERR_ABORTED":
            self.heard.append(f"{request.failure}: {request.url}")


class Late:
    """An answer of the server, which the page gets once it may `come`; `asked` is set before.

    Use: `await page.route(where, late.hold)`.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.come = asyncio.Event()

    async def hold(self, route: Route) -> None:
        answer = await route.fetch()
        self.asked.set()
        await self.come.wait()
        await route.fulfill(response=answer)


@dataclass
class Visitor:
    """One organization's owner at one browser; `page` is the first tab."""

    customer: Customer
    context: BrowserContext
    page: Page
    complaints: Complaints

    async def tab(self, path: str) -> Page:
        """Another tab of the same browser."""
        page = await self.context.new_page()
        await page.goto(path)
        return page


@dataclass
class House:
    """Opens browsers onto the product."""

    product: Product
    chromium: Browser

    @asynccontextmanager
    async def browser(
        self, **options: Any
    ) -> AsyncIterator[tuple[BrowserContext, Page, Complaints]]:
        """A browser with nobody signed in. Fails at the end when it complained."""
        complaints = Complaints()
        context = await self.chromium.new_context(
            base_url=self.product.url, reduced_motion="reduce", locale="en-GB", **options
        )
        complaints.watch(context)
        try:
            yield context, await context.new_page(), complaints
        finally:
            await context.close()
        assert not complaints.unexpected, "\n".join(complaints.unexpected)

    @asynccontextmanager
    async def visit(
        self, customer: Customer, email: str | None = None, **options: Any
    ) -> AsyncIterator[Visitor]:
        """A browser with the organization's owner signed in, or another of its people."""
        async with self.browser(**options) as (context, page, complaints):
            token = await sign_in(self.product, customer, email)
            await context.add_cookies(
                [{"name": "tidings_session", "value": token, "url": self.product.url}]
            )
            yield Visitor(customer, context, page, complaints)


async def one_time_token(product: Product, customer: Customer, email: str | None = None) -> str:
    """What a one-time link of the organization's owner, or another of its people, ends in."""
    token = await issue_link(
        product.system.db,
        email or owner_email(customer),
        organization_id=customer.organization.organization_id,
    )
    assert token is not None
    return token


async def sign_in(product: Product, customer: Customer, email: str | None = None) -> str:
    """A new session's token."""
    token = await one_time_token(product, customer, email)
    return (await sign_in_by_link(product.system.db, product.settings, token, Client())).token


def owner_email(customer: Customer) -> str:
    return f"owner-{customer.organization.user_id}@example.com"
