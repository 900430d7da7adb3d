"""Fixtures: one throwaway PostgreSQL for the session, a database of its own for each test."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import pytest_asyncio
import structlog

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

# A shell has what it starts in the background ignore this, and what that starts would as well.
signal.signal(signal.SIGINT, signal.default_int_handler)

_configure = structlog.configure


def _configure_uncached(**options: Any) -> None:
    """A cached logger would write for good where the first program of the process said."""
    _configure(**options | {"cache_logger_on_first_use": False})


structlog.configure = _configure_uncached


CATALOGS = (
    "attrdef",
    "attribute",
    "class",
    "constraint",
    "default_acl",
    "description",
    "extension",
    "index",
    "namespace",
    "policy",
    "proc",
    "rewrite",
    "trigger",
    "type",
)


class Emptying:
    """Takes a clone back to its template: a fifth of the work of another clone.

    Only rows are undone. A database whose catalogs, statistics or size are not the template's is
    none to use again.
    """

    def __init__(self, template: "psycopg.Connection[Any]") -> None:
        tables = [
            name
            for (name,) in template.execute(
                "SELECT c.oid::regclass::text FROM pg_class AS c "
                "WHERE c.relnamespace = 'tidings'::regnamespace AND c.relkind = 'r'"
            )
        ]
        deletes = "".join(
            f"IF EXISTS (SELECT FROM {name}) THEN DELETE FROM {name}; END IF; " for name in tables
        )
        self._delete = f"DO $$ BEGIN {deletes}END $$"
        self._seeds: dict[str, bytes] = {}
        with template.cursor() as cursor:
            for name in tables:
                with cursor.copy(f"COPY {name} TO STDOUT") as copy:
                    if rows := b"".join(bytes(block) for block in copy):
                        self._seeds[name] = rows
        self._as_template = self._state(template)
        self._most_bytes = 1.5 * self._size(template)

    def run(self, connection: "psycopg.Connection[Any]") -> bool:
        """Whether it is as the template again."""
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        if self._state(connection) != self._as_template:
            return False
        with connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute(self._delete)
            with connection.cursor() as cursor:
                for name, rows in self._seeds.items():
                    with cursor.copy(f"COPY {name} FROM STDIN") as copy:
                        copy.write(rows)
            connection.execute(
                "SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence"
            )
        return self._size(connection) <= self._most_bytes

    def _state(self, connection: "psycopg.Connection[Any]") -> Any:
        marks = ", ".join(
            f"(SELECT row(count(*), max(xmin::text::bigint)) FROM pg_{name})" for name in CATALOGS
        )
        return connection.execute(
            f"SELECT {marks}, (SELECT sum(reltuples) FROM pg_class WHERE relkind = 'r'), "
            "(SELECT count(*) FROM pg_db_role_setting AS s JOIN pg_database AS d "
            "ON d.oid = s.setdatabase WHERE d.datname = current_database())"
        ).fetchone()

    def _size(self, connection: "psycopg.Connection[Any]") -> float:
        (size,) = connection.execute("SELECT pg_database_size(current_database())").fetchone() or (
            0,
        )
        return float(size)


class TestCluster:
    """A running server and its migrated template database."""

    __test__ = False

    def __init__(self, cluster: Cluster, worker: str) -> None:
        self.cluster = cluster
        self.template = f"template_{worker}"
        self._admin = self.url("postgres", "postgres")
        self._emptied: list[str] = []
        self._empty: Emptying | None = None

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

    def take(self) -> str:
        """A database as the template is: one that was emptied, or a new clone."""
        return self._emptied.pop() if self._emptied else self.clone()

    def give_back(self, name: str) -> None:
        """Empty it for the next test; drop it when more than its rows may have changed."""
        if self._empty is None:
            with psycopg.connect(self.url("postgres", self.template), autocommit=True) as template:
                self._empty = Emptying(template)
        try:
            with psycopg.connect(self.url("postgres", name), autocommit=True) as connection:
                is_as_new = self._empty.run(connection)
        except psycopg.Error:
            is_as_new = False
        if is_as_new:
            self._emptied.append(name)
        else:
            self.drop(name)


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
def database_name(cluster: TestCluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """One that an earlier test may have filled: what counts reads is marked for a new one."""
    if request.node.get_closest_marker("new_database"):
        name = cluster.clone()
        yield name
        cluster.drop(name)
    else:
        name = cluster.take()
        yield name
        cluster.give_back(name)


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
