"""One product a module, on a database of its own; every test has an organization of its own."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from acceptance.answers import answer
from acceptance.product import PRICES, Customer, Product, open_product, settings_for
from conftest import TestCluster
from tidings.ai.testing import FakeProvider
from tidings.base.settings import Settings
from tidings.meetings.testing import FakeFathom

OpenProduct = Callable[..., AbstractAsyncContextManager[Product]]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A module's product is opened by one process of xdist, not by each."""
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="module")
def product_database(cluster: TestCluster) -> Iterator[str]:
    name = cluster.clone()
    yield name
    cluster.drop(name)


@pytest_asyncio.fixture(scope="module")
async def fathom() -> AsyncIterator[FakeFathom]:
    async with FakeFathom() as fake:
        yield fake


@pytest_asyncio.fixture(scope="module")
async def provider() -> AsyncIterator[FakeProvider]:
    async with FakeProvider(answer) as fake:
        yield fake


@pytest.fixture(scope="module")
def product_settings(
    cluster: TestCluster,
    product_database: str,
    fathom: FakeFathom,
    tmp_path_factory: pytest.TempPathFactory,
) -> Settings:
    """As a new installation has them: no key of anything."""
    url = cluster.url("tidings_app", product_database)
    home = Path(tmp_path_factory.mktemp("product"))
    return settings_for(url, home, fathom_base_url=fathom.base_url)


@pytest.fixture(scope="module")
def variant(cluster: TestCluster, product_database: str, product_settings: Settings) -> OpenProduct:
    """Opens the product on the module's database with other settings, without a worker."""
    superuser_url = cluster.url("postgres", product_database)

    def opened(**changes: Any) -> AbstractAsyncContextManager[Product]:
        return open_product(product_settings.model_copy(update=changes), superuser_url)

    return opened


@pytest_asyncio.fixture(scope="module")
async def idle_product(variant: OpenProduct) -> AsyncIterator[Product]:
    """The web alone: nothing runs until a test says so."""
    async with variant() as product:
        yield product


@pytest_asyncio.fixture(scope="module")
async def product(variant: OpenProduct) -> AsyncIterator[Product]:
    """Web and worker."""
    async with variant() as product, product.working():
        yield product


@pytest_asyncio.fixture(scope="module")
async def ai_product(variant: OpenProduct, provider: FakeProvider) -> AsyncIterator[Product]:
    """Web and worker with a provider that this test run scripts.

    What a provider's failure leaves to a later try (30 s) is past the deadline, and so ends.
    """
    changes = {
        "openai_base_url": provider.base_url,
        "model_prices": PRICES,
        "ai_timeout": 20.0,
        "ai_tries": 2,
        "engagement_deadline": 29.0,
    }
    async with variant(**changes) as product, product.working():
        yield product


@pytest_asyncio.fixture
async def customer(product: Product) -> Customer:
    return await product.customer()


@pytest_asyncio.fixture
async def ai_customer(ai_product: Product, provider: FakeProvider) -> AsyncIterator[Customer]:
    """A customer whose provider answers well, unless the test says otherwise."""
    yield await ai_product.customer()
    provider.answer = answer
    provider.gate.set()
