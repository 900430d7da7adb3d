"""What the tests of this folder break: the whole product, and a server that may be restarted."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from acceptance.product import Product, open_product, settings_for
from conftest import PASSWORD, ROLES
from tidings.base.settings import Settings
from tidings.db.embedded import EmbeddedServer
from tidings.db.migrate import migrate_up
from tidings.db.roles import allow_login, ensure_roles


@pytest.fixture
def product_settings(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Settings:
    """Leases so short that what a dead worker held is soon taken up again; or of other seconds."""
    lease: float = getattr(request, "param", 1.0)
    return settings_for(database_url, tmp_path, job_lease=lease, job_heartbeat=0.3)


@pytest_asyncio.fixture
async def product(product_settings: Settings, superuser_url: str) -> AsyncIterator[Product]:
    """The web, and on demand a worker that lives."""
    async with open_product(product_settings, superuser_url) as product:
        yield product


@pytest.fixture
async def own_server(tmp_path):
    """A server that this test may restart."""
    server = EmbeddedServer(tmp_path / "home", throwaway=True)
    cluster = await server.start()

    def prepare():
        url = cluster.url("postgres", cluster.superuser_password, "postgres")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE tidings")
            ensure_roles(connection)
            allow_login(connection, dict.fromkeys(ROLES, PASSWORD))
        migrate_up(cluster.url("postgres", cluster.superuser_password, "tidings"))

    await asyncio.to_thread(prepare)
    yield server, cluster
    await server.destroy()
