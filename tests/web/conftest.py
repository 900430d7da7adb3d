"""One application for all web tests of a process; each test makes organizations of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio
from argon2 import PasswordHasher

from tidings.tenancy import passwords
from web.house import Browser, House, Team, open_house, settings_for
from web.quiet import Quiet
from web.served import Served, serve

OpenHouse = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing that takes no time; its strength is tested with tenancy."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", quick)


@pytest.fixture(scope="session")
def web_database(cluster: Any) -> Iterator[str]:
    name = cluster.clone()
    yield name
    cluster.drop(name)


@asynccontextmanager
async def in_one_task(opening: AbstractAsyncContextManager[House]) -> AsyncIterator[House]:
    """Enter and leave in the same task, as task groups must be; fixtures end in another one."""
    opened: asyncio.Future[House] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    async def hold() -> None:
        try:
            async with opening as house:
                opened.set_result(house)
                await done.wait()
        except Exception as error:
            if opened.done():
                raise
            opened.set_exception(error)

    holding = asyncio.create_task(hold())
    yield await opened
    done.set()
    await holding


@pytest_asyncio.fixture(scope="session")
async def house(cluster: Any, web_database: str) -> AsyncIterator[House]:
    app_url = cluster.url("tidings_app", web_database)
    settings = settings_for(app_url, cors_origins="https://front.example", legacy_prefix="/older")
    async with in_one_task(
        open_house(settings, app_url, cluster.url("postgres", web_database))
    ) as opened:
        yield opened


@pytest.fixture(scope="session")
def another_house(cluster: Any, web_database: str) -> OpenHouse:
    """The same database behind an application with other settings."""
    app_url = cluster.url("tidings_app", web_database)

    def build(*, live: bool = True, **changes: Any) -> AbstractAsyncContextManager[House]:
        url = changes.pop("app_url", app_url)
        return in_one_task(
            open_house(
                settings_for(url, **changes), url, cluster.url("postgres", web_database), live=live
            )
        )

    return build


@pytest_asyncio.fixture
async def quiet(another_house: OpenHouse) -> AsyncIterator[Quiet]:
    async with another_house(live=False) as opened:
        made = Quiet(opened, await opened.team())
        await made.services.relay.turn(hinted=True)
        yield made


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


@pytest.fixture(scope="session")
def served(cluster: Any) -> Iterator[Served]:
    """A real server on a database of its own, for streams and for clients that are not async."""
    name = cluster.clone()
    url = cluster.url("tidings_app", name)
    with serve(settings_for(url), url, cluster.url("postgres", name)) as server:
        yield server
    cluster.drop(name)
