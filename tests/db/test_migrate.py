"""Migrations: every step up, down and up on data; twice, at once, and by whom it may be done."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from alembic.script import ScriptDirectory

from conftest import PASSWORD, TestCluster
from contract.rows import RowMaker, tables
from tidings.base.errors import DatabaseBusy, DatabaseUnavailable, MigrationBroken
from tidings.db import migrate
from tidings.db.embedded import EmbeddedServer
from tidings.db.migrate import migrate_down, migrate_up, migration_status
from tidings.db.revisions import head_revision
from tidings.db.verify import Catalog, read_catalog, verify

REVISIONS = [
    script.revision for script in ScriptDirectory.from_config(migrate._config()).walk_revisions()
][::-1]


def make_database(cluster: TestCluster, owner: str = "postgres") -> str:
    name = f"migrate_{uuid4().hex}"
    with psycopg.connect(cluster.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER {owner}")
    return name


@pytest.fixture
def empty(cluster: TestCluster) -> Iterator[str]:
    """The address of a database without a schema of ours, as its superuser."""
    name = make_database(cluster)
    yield cluster.url("postgres", name)
    cluster.drop(name)


def catalog(url: str) -> Catalog:
    with psycopg.connect(url) as connection:
        return read_catalog(connection)


def fill(url: str) -> dict[str, int]:
    """A row in every table of a fresh organization; how many rows each table has then."""
    with psycopg.connect(url) as connection:
        RowMaker(connection).make_all()
        return count(connection)


def count(connection: psycopg.Connection) -> dict[str, int]:
    return {
        table: connection.execute(f"SELECT 1 FROM {table}").rowcount for table in tables(connection)
    }


def test_the_revisions_are_one_numbered_chain() -> None:
    assert [f"{number:04d}" for number in range(1, len(REVISIONS) + 1)] == REVISIONS
    assert head_revision() == REVISIONS[-1]


def test_every_step_goes_up_down_and_up_with_data(empty: str) -> None:
    before: Catalog = {}
    for revision, earlier in zip(REVISIONS, ["base", *REVISIONS], strict=False):
        migrate_up(empty, revision)
        after = catalog(empty)
        with psycopg.connect(empty) as connection:
            kept = count(connection)
        filled = fill(empty)
        status = migrate_down(empty, earlier)
        assert status.current == (None if earlier == "base" else earlier)
        if earlier != "base":
            assert catalog(empty) == before, f"{revision} down"
            with psycopg.connect(empty) as connection:
                left = count(connection)
            assert left == {table: filled[table] for table in left}, f"{revision} down lost rows"
        migrate_up(empty, revision)
        assert catalog(empty) == after, f"{revision} up again"
        assert set(kept) == set(filled)
        fill(empty)
        before = after
    assert migration_status(empty).is_current


def test_down_to_base_leaves_nothing(empty: str) -> None:
    with psycopg.connect(empty) as connection:
        default_privileges = connection.execute("SELECT * FROM pg_default_acl").fetchall()
    migrate_up(empty)
    fill(empty)
    migrate_down(empty, "base")
    left = [
        name
        for name in catalog(empty)
        if "schema_version" not in name and not name.startswith("role")
    ]
    assert left == []
    with psycopg.connect(empty) as connection:
        assert connection.execute("SELECT * FROM pg_default_acl").fetchall() == default_privileges
    assert migrate_up(empty).is_current
    assert verify(empty) == []


def test_two_at_once_take_turns(empty: str) -> None:
    with ThreadPoolExecutor() as threads:
        both = list(threads.map(migrate_up, [empty, empty, empty]))
    assert all(status.is_current for status in both)
    assert verify(empty) == []


def test_up_when_up_to_date_touches_nothing(superuser_url: str) -> None:
    def marks() -> list[tuple[object, ...]]:
        with psycopg.connect(superuser_url) as connection:
            return connection.execute(
                "SELECT xmin::text, version_num FROM tidings.schema_version "
                "UNION ALL SELECT xmin::text, relname FROM pg_class "
                "WHERE relnamespace = 'tidings'::regnamespace "
                "ORDER BY 2"
            ).fetchall()

    before = marks()
    status = migrate_up(superuser_url)
    assert (status.pending, status.current) == ([], head_revision())
    assert marks() == before


def test_the_service_may_ask_where_the_schema_is(database_url: str) -> None:
    assert migration_status(database_url) == migrate.MigrationStatus(
        REVISIONS[-1], REVISIONS[-1], []
    )


def test_a_database_without_the_schema_has_all_pending(empty: str) -> None:
    status = migration_status(empty)
    assert (status.current, status.pending, status.is_current) == (None, REVISIONS, False)


def test_a_database_half_way_has_the_rest_pending(empty: str) -> None:
    status = migrate_up(empty, REVISIONS[1])
    assert status.pending == REVISIONS[2:]
    assert not status.is_current


@pytest.mark.parametrize("step", [migrate_up, migrate_down])
def test_an_unknown_step_is_refused(superuser_url: str, step) -> None:
    with pytest.raises(MigrationBroken, match="9999"):
        step(superuser_url, "9999")


def test_a_newer_database_is_refused(superuser_url: str) -> None:
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("UPDATE tidings.schema_version SET version_num = '9999'")
    with pytest.raises(MigrationBroken, match="9999"):
        migrate_up(superuser_url)
    with pytest.raises(MigrationBroken, match="install the newer version"):
        migration_status(superuser_url)


def test_an_unreachable_database_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
        migrate_up(f"postgresql://x@/x?host={tmp_path}")


def test_a_table_in_use_is_not_waited_for_without_end(
    superuser_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate_down(superuser_url, "0020")  # which has tables; what comes after may have none
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "50ms")
    with psycopg.connect(superuser_url) as holder:
        tables = holder.execute("SELECT relid::regclass::text FROM pg_stat_user_tables").fetchall()
        names = ", ".join(name for (name,) in tables)
        holder.execute(f"LOCK TABLE {names} IN ACCESS SHARE MODE".encode())
        with pytest.raises(DatabaseBusy, match="it changed nothing"):
            migrate_down(superuser_url, "0001")
    assert migration_status(superuser_url).current == "0020"
    monkeypatch.undo()
    migrate_up(superuser_url)
    assert verify(superuser_url) == []


def test_a_login_without_rights_is_told_what_to_run(cluster: TestCluster, empty: str) -> None:
    name = empty.rsplit("/", 1)[1]
    login = f"plain_{uuid4().hex[:8]}"
    with psycopg.connect(empty, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {login} LOGIN PASSWORD '{PASSWORD}'")
        url = cluster.url(login, name)
        with pytest.raises(MigrationBroken, match="administrator") as refused:
            migrate_up(url)
        script = refused.value.message.split(" run: ")[1]
        admin.execute(script.encode())
    assert migrate_up(url).is_current
    assert verify(url) == []
    with psycopg.connect(empty, autocommit=True) as admin:
        admin.execute(f"REVOKE tidings_owner FROM {login}")
        admin.execute(f"DROP ROLE {login}")


async def test_a_managed_database_is_migrated_by_its_owner(tmp_path: Path) -> None:
    """A cluster that knows none of our roles, and a login that may only make them."""
    server = EmbeddedServer(tmp_path, throwaway=True)
    cluster = await server.start()
    admin_url = cluster.url(cluster.superuser, cluster.superuser_password, "postgres")
    try:
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute(f"CREATE ROLE manager LOGIN CREATEROLE CREATEDB PASSWORD '{PASSWORD}'")
        with psycopg.connect(
            cluster.url("manager", PASSWORD, "postgres"), autocommit=True
        ) as owner:
            owner.execute("CREATE DATABASE managed")
        url = cluster.url("manager", PASSWORD, "managed")
        assert (await asyncio.to_thread(migrate_up, url)).is_current
        assert await asyncio.to_thread(verify, url) == []
        await asyncio.to_thread(migrate_down, url, "base")
        assert (await asyncio.to_thread(migrate_up, url)).is_current
    finally:
        await server.destroy()
