"""One product with a worker, one Chromium, and the sample company, for all browser tests."""

import asyncio
import dataclasses
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from acceptance.product import Customer, Product, open_product, settings_for
from browser.held import HeldGateway
from browser.visitor import House, Visitor
from conftest import TestCluster
from tidings.cli.sample_data import load_sample
from tidings.messages.sample import load_messages_sample
from tidings.wiring import build_worker

from factories.meetings import meeting

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def browser_database(cluster: TestCluster) -> Iterator[str]:
    name = cluster.clone()
    yield name
    cluster.drop(name)


@pytest_asyncio.fixture(scope="session")
async def product(
    cluster: TestCluster, browser_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Product]:
    """Web and worker; the worker's gateway can hold an organization's work."""
    home = Path(tmp_path_factory.mktemp("browser"))
    settings = settings_for(cluster.url("tidings_app", browser_database), home)
    async with open_product(settings, cluster.url("postgres", browser_database)) as product:
        gateway = HeldGateway(product.system.db, settings, product.system.keys)
        gateway.holds = {}
        product.system = dataclasses.replace(product.system, gateway=gateway)
        worker = build_worker(product.system, product.relay)
        running = asyncio.create_task(worker.run())
        yield product
        worker.stop()
        await running
        await gateway.close()


@pytest.fixture
def gateway(product: Product) -> HeldGateway:
    assert isinstance(product.system.gateway, HeldGateway)
    return product.system.gateway


@pytest_asyncio.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("Chromium is missing: apt-get install chromium (scripts/prepare does it).")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
def house(product: Product, chromium: Browser) -> House:
    return House(product, chromium)


@pytest_asyncio.fixture(scope="session")
async def sample(product: Product) -> Customer:
    """The organization of the demo; tests only look at it."""
    customer = await product.customer(name="Harbour & Pine")
    await load_sample(product.system, customer.organization.tenant, say=lambda _: None)
    await load_messages_sample(product.system.db, customer.organization.tenant)
    return customer


@pytest_asyncio.fixture
async def reader(house: House, sample: Customer) -> AsyncIterator[Visitor]:
    """Somebody who looks at the sample."""
    async with house.visit(sample) as visitor:
        yield visitor


@pytest_asyncio.fixture
async def customer(product: Product) -> Customer:
    """A new organization with three meetings with acme.example, not summarised."""
    customer = await product.customer()
    await customer.capture(*(meeting(number) for number in (1, 2, 3)))
    return customer


@pytest_asyncio.fixture
async def visitor(house: House, customer: Customer) -> AsyncIterator[Visitor]:
    """The owner of that new organization."""
    async with house.visit(customer) as visitor:
        yield visitor
