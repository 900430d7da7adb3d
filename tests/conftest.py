"""Fixtures: one throwaway PostgreSQL for the session, a database of its own for each test.

With TIDINGS_TEST_DATABASE_URL the server is that one instead of an embedded one: the URL of a
superuser with a password over a Unix socket, as `postgresql://postgres:word@%2Frun%2Fmine:5432/`.
Its roles of Tidings get the tests' password, and databases `template_…` and `test_…` come and go.
Workers share it, so tests that count HOT updates may fail there beside others, and pass alone.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import hypothesis
import psycopg
import pytest
import pytest_asyncio
import structlog
from psycopg.conninfo import conninfo_to_dict

from tidings.base.settings import Settings
from tidings.db.embedded import Cluster, EmbeddedServer
from tidings.db.migrate import migrate_up
from tidings.db.pools import primary_pool
from tidings.db.roles import allow_login, ensure_roles
from tidings.db.transaction import Database

from factories.organizations import Organization, insert_organization
from wire import CountingProxy, counting

PASSWORD = "a-password-of-the-tests"
ROLES = ("tidings_owner", "tidings_app", "tidings_readonly")
GIVEN = os.environ.get("TIDINGS_TEST_DATABASE_URL")

# A shell has what it starts in the background ignore this, and what that starts would as well.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples in every run, however slow; `--hypothesis-profile default` looks for others.
hypothesis.settings.register_profile(
    "same",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("same")

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


# How often catalogs were written to, what plans are made of, and whether counting began anew; how
# often each table was written to; and how often any, with the parts of long values.
_SEEN = """
WITH written AS (
    SELECT c.oid, c.relnamespace = 'tidings'::regnamespace AND c.relkind = 'r' AS is_ours,
        c.oid = ANY(%s::regclass[]) AS is_catalog,
        pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid)
            + pg_stat_get_tuples_deleted(c.oid) AS times,
        CASE WHEN c.relkind = 'r' THEN c.reltuples END AS tuples
    FROM pg_class AS c WHERE c.relkind IN ('r', 't')
)
SELECT
    row(
        sum(times) FILTER (WHERE is_catalog), sum(tuples), pg_stat_get_bgwriter_stat_reset_time(),
        (SELECT pg_stat_get_db_stat_reset_time(d.oid) FROM pg_database AS d
         WHERE d.datname = current_database()),
        (SELECT count(*) FROM pg_db_role_setting AS s JOIN pg_database AS d
         ON d.oid = s.setdatabase WHERE d.datname = current_database())
    )::text,
    jsonb_object_agg(oid::regclass::text, times) FILTER (WHERE is_ours),
    sum(times)::bigint
FROM written
"""
_WRITES_A_LOOK = 1_000  # rows written before the size of a database is looked at again


class Kept:
    """A clone, the superuser's connection to it, and what the server had counted of it."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.connection = psycopg.connect(url, autocommit=True)
        self.see()
        self.written = 0

    def see(self) -> None:
        seen = self.connection.execute(_SEEN, [[f"pg_{name}" for name in CATALOGS]]).fetchone()
        assert seen is not None
        self.marks, self.tables, self.writes = seen


class Emptying:
    """Takes a clone back to its template: a fraction of the work of another clone.

    Only rows are undone, of the tables that were written to. A database whose catalogs, statistics
    or size are not the template's is none to use again.
    """

    def __init__(self, template: "psycopg.Connection[Any]") -> None:
        names = template.execute(
            "SELECT c.oid::regclass::text FROM pg_class AS c "
            "WHERE c.relnamespace = 'tidings'::regnamespace AND c.relkind = 'r'"
        ).fetchall()
        self._seeds: dict[str, bytes] = {}
        with template.cursor() as cursor:
            for (name,) in names:
                with cursor.copy(f"COPY {name} TO STDOUT") as copy:
                    if rows := b"".join(bytes(block) for block in copy):
                        self._seeds[name] = rows
        self._most_bytes = 1.5 * self._size(template)

    def run(self, kept: Kept) -> bool:
        """Whether it is as the template again."""
        connection, before = kept.connection, (kept.marks, kept.tables, kept.writes)
        connection.execute(
            # Both sessions that end and this one then tell the server what they have written.
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid(); "
            "SELECT pg_stat_force_next_flush()"
        )
        kept.see()
        if kept.marks != before[0]:
            return False
        touched = [name for name, times in kept.tables.items() if times != before[1][name]]
        kept.written += kept.writes - before[2]
        self._undo(connection, touched)
        kept.see()
        if kept.written > _WRITES_A_LOOK:
            kept.written = 0
            return self._size(connection) <= self._most_bytes
        return True

    def _undo(self, connection: "psycopg.Connection[Any]", touched: list[str]) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(
                "SET LOCAL session_replication_role = replica; "
                + "".join(f"DELETE FROM {name}; " for name in touched)
                + "SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence; "
                "SELECT pg_stat_force_next_flush()"
            )
            for name in touched:
                if rows := self._seeds.get(name):
                    with cursor.copy(f"COPY {name} FROM STDIN") as copy:
                        copy.write(rows)

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
        self._emptied: list[Kept] = []
        self._empty: Emptying | None = None

    def url(self, role: str, database: str) -> str:
        if role == "postgres":
            given = self.cluster.superuser, self.cluster.superuser_password
            return self.cluster.url(*given, database)
        return self.cluster.url(role, PASSWORD, database)

    def prepare(self) -> None:
        with psycopg.connect(self._admin, autocommit=True) as connection:
            # The roles are the server's, which the workers of one run may share.
            connection.execute("SELECT pg_advisory_lock(1)")
            connection.execute(f"DROP DATABASE IF EXISTS {self.template} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {self.template}")
            self._prepare_roles()
        migrate_up(self.url("postgres", self.template))

    def _prepare_roles(self) -> None:
        with psycopg.connect(self.url("postgres", self.template), autocommit=True) as connection:
            if connection.info.server_version >= 160000:
                # A password is hashed 4,096 times at each connect otherwise, and tests connect
                # often.
                connection.execute("SET scram_iterations = 1")
            ensure_roles(connection)
            allow_login(connection, dict.fromkeys(ROLES, PASSWORD))
            allow_login(connection, {self.cluster.superuser: self.cluster.superuser_password})

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

    def take(self, *, new: bool = False) -> Kept:
        """A database as the template is: one that was emptied, or a new clone."""
        if self._emptied and not new:
            return self._emptied.pop()
        name = self.clone()
        return Kept(name, self.url("postgres", name))

    def give_back(self, kept: Kept) -> None:
        """Empty it for the next test; drop it when more than its rows may have changed."""
        if self._empty is None:
            with psycopg.connect(self.url("postgres", self.template), autocommit=True) as template:
                self._empty = Emptying(template)
        try:
            is_as_new = self._empty.run(kept)
        except psycopg.Error:
            is_as_new = False
        if is_as_new:
            self._emptied.append(kept)
        else:
            self.let_go(kept)

    def close(self) -> None:
        for kept in self._emptied:
            kept.connection.close()
            if GIVEN is not None:
                self.drop(kept.name)
        if GIVEN is not None:
            self.drop(self.template)

    def let_go(self, kept: Kept) -> None:
        kept.connection.close()
        self.drop(kept.name)


@contextmanager
def own_server(home: Path) -> Iterator[Cluster]:
    """An embedded server, gone with all its data at the end."""
    server = EmbeddedServer(home, throwaway=True)
    yield asyncio.run(server.start())
    asyncio.run(server.destroy())


@contextmanager
def given_server(url: str) -> Iterator[Cluster]:
    """The server of `url`, which stays."""
    said = conninfo_to_dict(url)
    with psycopg.connect(url) as connection:
        version = connection.info.server_version // 10_000
        where = str(said["host"]), connection.info.port
    yield Cluster(*where, str(said["user"]), str(said["password"]), version)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestCluster]:
    home = Path(tmp_path_factory.mktemp("home"))
    with given_server(GIVEN) if GIVEN else own_server(home) as server:
        running = TestCluster(server, os.environ.get("PYTEST_XDIST_WORKER", "main"))
        running.prepare()
        yield running
        running.close()


@pytest.fixture
def database(cluster: TestCluster, request: pytest.FixtureRequest) -> Iterator[Kept]:
    """One that an earlier test may have filled: what counts reads is marked for a new one."""
    new = request.node.get_closest_marker("new_database") is not None
    kept = cluster.take(new=new)
    yield kept
    cluster.let_go(kept) if new else cluster.give_back(kept)


@pytest.fixture
def database_name(database: Kept) -> str:
    return database.name


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


@cache
def _settings(database_url: str, environment: tuple[tuple[str, str], ...]) -> Settings:
    """Reading settings takes longer than the rest of a test's preparation."""
    return Settings(
        database_url=database_url,
        listen_url=database_url,
        pool_primary_min=1,
        pool_primary_max=10,
        pool_timeout=20,  # a machine under load is slow, not broken
        _env_file=None,  # type: ignore[call-arg]
    )


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    ours = sorted(item for item in os.environ.items() if item[0].startswith("TIDINGS_"))
    return _settings(database_url, tuple(ours)).model_copy(update={"home": tmp_path / "home"})


@pytest_asyncio.fixture
async def db(settings: Settings, database_url: str) -> AsyncIterator[Database]:
    database = Database(primary_pool(settings, database_url))
    await database.open()
    yield database
    await database.close()


@pytest_asyncio.fixture
async def wire(cluster: TestCluster) -> AsyncIterator[CountingProxy]:
    """A proxy in front of the server that counts round trips on the wire."""
    async with counting(cluster) as proxy:
        yield proxy


@pytest.fixture
def organization(database: Kept) -> Organization:
    return insert_organization(database.connection, "Harbour & Pine")


@pytest.fixture
def other_organization(database: Kept) -> Organization:
    return insert_organization(database.connection, "Other House")
