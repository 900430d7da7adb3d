"""The four roles: made once, never more than they need, and the SQL to run where we may not."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest

from conftest import PASSWORD, TestCluster
from tidings.db.roles import ROLES, allow_login, ensure_roles, missing_statements


@pytest.fixture
def admin(cluster: TestCluster) -> Iterator[psycopg.Connection]:
    name = f"roles_{uuid4().hex}"
    with psycopg.connect(cluster.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    with psycopg.connect(cluster.url("postgres", name)) as connection:
        yield connection
        connection.rollback()
    cluster.drop(name)


def texts(connection: psycopg.Connection) -> list[str]:
    return [statement.as_string(connection) for statement in missing_statements(connection)]


def test_only_what_is_missing_is_made(admin: psycopg.Connection) -> None:
    assert texts(admin) == ["CREATE SCHEMA tidings AUTHORIZATION tidings_owner"]
    ensure_roles(admin)
    assert texts(admin) == []
    ensure_roles(admin)


def test_a_superuser_needs_no_membership_and_the_owner_gets_the_system_role(
    admin: psycopg.Connection,
) -> None:
    admin.execute("REVOKE tidings_system FROM tidings_owner")
    assert "GRANT tidings_system TO tidings_owner" in texts(admin)
    ensure_roles(admin)
    row = admin.execute(
        "SELECT pg_has_role('tidings_owner', 'tidings_system', 'MEMBER')"
    ).fetchone()
    assert row == (True,)


def test_a_login_is_made_a_member_of_the_owner(
    cluster: TestCluster, admin: psycopg.Connection
) -> None:
    ensure_roles(admin)
    admin.execute('CREATE ROLE "Odd Login" NOLOGIN')
    admin.execute('SET ROLE "Odd Login"')
    assert texts(admin) == ['GRANT tidings_owner TO "Odd Login"']


def test_a_role_that_is_not_there_is_made_first(
    admin: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidings.db.roles._exists", lambda connection, role: False)
    made = texts(admin)
    assert made[:4] == [f'CREATE ROLE "{role}" NOLOGIN' for role in ROLES]
    assert made[4] == "GRANT tidings_system TO tidings_owner"


def test_the_roles_are_as_weak_as_they_should_be(admin: psycopg.Connection) -> None:
    rows = admin.execute(
        "SELECT rolname::text FROM pg_roles WHERE rolname = ANY (%s) "
        "AND NOT (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)",
        [list(ROLES)],
    ).fetchall()
    assert {name for (name,) in rows} == set(ROLES)


def test_the_system_role_cannot_log_in_and_the_service_cannot_become_it(
    cluster: TestCluster, database_name: str
) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(cluster.url("tidings_system", database_name))
    with psycopg.connect(cluster.url("tidings_app", database_name), autocommit=True) as app:
        for statement in (
            "SET ROLE tidings_system",
            "SET ROLE tidings_owner",
            "SET SESSION AUTHORIZATION tidings_owner",
            "CREATE TABLE tidings.mine (id int)",
            "ALTER TABLE tidings.meetings DISABLE ROW LEVEL SECURITY",
            "TRUNCATE tidings.meetings",
            "COPY tidings.meetings TO PROGRAM 'cat'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(statement)


def test_a_password_lets_a_role_in(cluster: TestCluster, database_name: str) -> None:
    role = f"guest_{uuid4().hex[:8]}"
    with psycopg.connect(cluster.url("postgres", database_name), autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {role} NOLOGIN")
        allow_login(admin, {role: PASSWORD})
        with psycopg.connect(cluster.url(role, database_name)) as guest:
            assert guest.info.user == role
        admin.execute(f"DROP ROLE {role}")
