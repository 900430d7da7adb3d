"""The four roles and the schema, which must be there before the first revision.

`tidings_owner` owns everything and migrates; `tidings_app` is the service; `tidings_system` owns
the few functions that cross tenants and cannot log in; `tidings_readonly` reads reports. None is a
superuser or bypasses row security.
"""

import psycopg
from psycopg import sql

from tidings.base.errors import MigrationBroken

ROLES = ("tidings_owner", "tidings_app", "tidings_system", "tidings_readonly")


def ensure_roles(connection: psycopg.Connection) -> None:
    """Make what is missing; raise `MigrationBroken` with the SQL to run when we may not.

    The login needs CREATEROLE and CREATE on the database, once; later it only need be a member
    of tidings_owner.
    """
    statements = missing_statements(connection)
    try:
        for statement in statements:
            connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege as error:
        script = " ".join(f"{statement.as_string(connection)};" for statement in statements)
        raise MigrationBroken(
            "The roles or the schema of Tidings are missing and this login may not make them. "
            f"As an administrator of the database run: {script}"
        ) from error


def missing_statements(connection: psycopg.Connection) -> list[sql.Composed]:
    """What must be run before the first revision, in order; empty when all is there."""
    row = connection.execute(
        "SELECT current_user::text, current_setting('is_superuser')"
    ).fetchone()
    assert row is not None
    login, is_superuser = row[0], row[1] == "on"
    missing = [role for role in ROLES if not _exists(connection, role)]
    statements = [
        sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)) for role in missing
    ]
    owns_system = {"tidings_owner", "tidings_system"}.isdisjoint(missing) and _may_become(
        connection, "tidings_owner", "tidings_system"
    )
    if not owns_system:
        statements.append(sql.SQL("GRANT tidings_system TO tidings_owner").format())
    if not is_superuser and (
        "tidings_owner" in missing or not _may_become(connection, login, "tidings_owner")
    ):
        statements.append(sql.SQL("GRANT tidings_owner TO {}").format(sql.Identifier(login)))
    if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'tidings'").rowcount == 0:
        statements.append(sql.SQL("CREATE SCHEMA tidings AUTHORIZATION tidings_owner").format())
    return statements


def allow_login(connection: psycopg.Connection, passwords: dict[str, str]) -> None:
    """Let roles log in with these passwords (embedded server and tests)."""
    for role, password in passwords.items():
        connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(
                sql.Identifier(role), sql.Literal(password)
            )
        )


def _exists(connection: psycopg.Connection, role: str) -> bool:
    return (
        connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        is not None
    )


def _may_become(connection: psycopg.Connection, who: str, role: str) -> bool:
    # Since PostgreSQL 16 who made a role is a member of it that may not SET ROLE to it.
    right = "SET" if connection.info.server_version >= 160000 else "MEMBER"
    row = connection.execute("SELECT pg_has_role(%s, %s, %s)", [who, role, right]).fetchone()
    return bool(row and row[0])
