"""A look past row security, a later clock, and people to act as."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, closing
from typing import Any
from uuid import UUID

import psycopg
import pytest
import pytest_asyncio
from argon2 import PasswordHasher

from tidings.base import clock
from tidings.base.ids import uuid7
from tidings.base.settings import Settings
from tidings.base.tenant import Role, Tenant
from tidings.db.pools import primary_pool
from tidings.db.transaction import Database
from tidings.tenancy import passwords

from factories.organizations import Organization

Look = Callable[..., list[Any]]


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing that takes no time; what it costs to guess is tested without a database."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", quick)


@pytest.fixture
def look(superuser_url: str) -> Look:
    """Run a statement as superuser and return its rows."""

    def run(statement: str, *params: Any) -> list[Any]:
        # Closed also when the commit fails, which psycopg's own block does not do.
        with closing(psycopg.connect(superuser_url)) as opened, opened as connection:
            cursor = connection.execute(statement, params)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest_asyncio.fixture
async def later(
    settings: Settings, database_url: str
) -> AsyncIterator[Callable[[str], Awaitable[Database]]]:
    """A database whose clock is ahead by an interval."""
    async with AsyncExitStack() as stack:

        async def open_database(interval: str) -> Database:
            option = "options=-ctidings.clock_shift%3D" + interval.replace(" ", "%5C%20")
            url = database_url + ("&" if "?" in database_url else "?") + option
            database = Database(primary_pool(settings, url))
            await database.open()
            stack.push_async_callback(database.close)
            return database

        yield open_database


@pytest_asyncio.fixture
async def new_minute(later: Callable[[str], Awaitable[Database]]) -> Database:
    """The database in the first second of a minute: what is counted by the minute is of one."""
    return await later(f"{61 - clock.now().second} seconds")


@pytest.fixture
def person(look: Look) -> Callable[[Organization, Role], Tenant]:
    """Another member of an organization, in a role, acting."""

    def make(organization: Organization, role: Role) -> Tenant:
        user_id: UUID = uuid7()
        look(
            "INSERT INTO tidings.users (id, email, name) VALUES (%s, %s, 'Somebody')",
            user_id,
            f"{role}-{user_id}@example.com",
        )
        look(
            "INSERT INTO tidings.organization_members (organization_id, user_id, role)"
            " VALUES (%s, %s, %s)",
            organization.organization_id,
            user_id,
            role,
        )
        return Tenant(organization.organization_id, user_id, role)

    return make
