"""Fixtures: one throwaway PostgreSQL for the session, one cloned database for each test."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import pytest_asyncio

from tidings.base.settings import Settings
from tidings.db.embedded import Cluster, EmbeddedServer
from tidings.db.migrate import migrate_up
from tidings.db.pools import primary_pool
from tidings.db.roles import allow_login, ensure_roles
from tidings.db.transaction import Database

from factories.organizations import Organization, make_organization
from wire import CountingProxy

PASSWORD = "a-password-of-the-tests"
ROLES = ("tidings_owner", "tidings_app", "tidings_readonly")


class TestCluster:
    """A running server and its migrated template database."""

    __test__ = False

    def __init__(self, cluster: Cluster, worker: str) -> None:
        self.cluster = cluster
        self.template = f"template_{worker}"
        self._admin = self.url("postgres", "postgres")

    def url(self, role: str, database: str) -> str:
        password = self.cluster.superuser_password if role == "postgres" else PASSWORD
        return self.cluster.url(role, password, database)

    def prepare(self) -> None:
        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {self.template}")
        with psycopg.connect(self.url("postgres", self.template), autocommit=True) as connection:
            ensure_roles(connection)
            allow_login(connection, dict.fromkeys(ROLES, PASSWORD))
        migrate_up(self.url("postgres", self.template))

    def clone(self) -> str:
        name = f"test_{uuid4().hex}"
        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute(
                f"CREATE DATABASE {name} TEMPLATE {self.template} STRATEGY FILE_COPY"
            )
        return name

    def drop(self, name: str) -> None:
        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestCluster]:
    home = Path(tmp_path_factory.mktemp("home"))
    server = EmbeddedServer(home, throwaway=True)
    running = TestCluster(
        asyncio.run(server.start()), os.environ.get("PYTEST_XDIST_WORKER", "main")
    )
    running.prepare()
    yield running
    asyncio.run(server.destroy())


@pytest.fixture
def database_name(cluster: TestCluster) -> Iterator[str]:
    name = cluster.clone()
    yield name
    cluster.drop(name)


@pytest.fixture
def owner_url(cluster: TestCluster, database_name: str) -> str:
    return cluster.url("tidings_owner", database_name)


@pytest.fixture
def database_url(cluster: TestCluster, database_name: str) -> str:
    return cluster.url("tidings_app", database_name)


@pytest.fixture
def superuser_url(cluster: TestCluster, database_name: str) -> str:
    """Sees every row; only to look at what others may not, never to run the code under test."""
    return cluster.url("postgres", database_name)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        home=tmp_path / "home",
        database_url=database_url,
        listen_url=database_url,
        pool_primary_min=1,
        pool_primary_max=10,
        _env_file=None,  # type: ignore[call-arg]
    )


@pytest_asyncio.fixture
async def db(settings: Settings, database_url: str) -> AsyncIterator[Database]:
    database = Database(primary_pool(settings, database_url))
    await database.open()
    yield database
    await database.close()


@pytest_asyncio.fixture
async def wire(cluster: TestCluster) -> AsyncIterator[CountingProxy]:
    """A proxy in front of the server that counts round trips on the wire."""
    proxy = CountingProxy(cluster.cluster.socket_dir, cluster.cluster.port)
    await proxy.start()
    yield proxy
    await proxy.stop()


@pytest_asyncio.fixture
async def organization(superuser_url: str) -> Organization:
    return await make_organization(superuser_url, "Harbour & Pine")


@pytest_asyncio.fixture
async def other_organization(superuser_url: str) -> Organization:
    return await make_organization(superuser_url, "Other House")
