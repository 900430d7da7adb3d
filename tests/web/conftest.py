"""One application for all web tests of a process; each test makes organizations of its own."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest
import pytest_asyncio

from web.house import Browser, House, Team, open_house, settings_for

OpenHouse = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture(scope="session")
def web_database(cluster: Any) -> Iterator[str]:
    name = cluster.clone()
    yield name
    cluster.drop(name)


@pytest_asyncio.fixture(scope="session")
async def house(cluster: Any, web_database: str) -> AsyncIterator[House]:
    app_url = cluster.url("tidings_app", web_database)
    settings = settings_for(app_url, cors_origins="https://front.example", legacy_prefix="/older")
    async with open_house(settings, app_url, cluster.url("postgres", web_database)) as opened:
        yield opened


@pytest.fixture
def another_house(cluster: Any, web_database: str) -> OpenHouse:
    """The same database behind an application with other settings."""
    app_url = cluster.url("tidings_app", web_database)

    def build(*, live: bool = True, **changes: Any) -> AbstractAsyncContextManager[House]:
        url = changes.pop("app_url", app_url)
        return open_house(
            settings_for(url, **changes), url, cluster.url("postgres", web_database), live=live
        )

    return build


@pytest_asyncio.fixture
async def team(house: House) -> Team:
    return await house.team()


@pytest_asyncio.fixture
async def other(house: House) -> Team:
    return await house.team("Other House")


@pytest_asyncio.fixture
async def client(house: House, team: Team) -> httpx.AsyncClient:
    """The owner's API key."""
    return await house.api(team)


@pytest_asyncio.fixture
async def browser(house: House, team: Team) -> Browser:
    """The owner's browser."""
    return await house.browser(team)
