"""Every table × operation × role of another organization: nothing is seen, nothing is changed.

The tables come from the catalog, so a new one is in the matrix the moment a revision makes it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import sql

from contract.catalog import NOT_OF_A_TENANT
from contract.rows import Row, RowMaker, insert_statement, tables

ROLES = ("owner", "admin", "member", "viewer", "service")

# Tables without an organization: the column that ties a row to organization A, or None for what
# the service may not reach at all.
TIED_BY = {
    "tidings.organizations": "id",
    "tidings.users": "id",
    "tidings.user_passwords": "user_id",
    "tidings.bridges": None,
    "tidings.cron_ticks": None,
    "tidings.queue_listeners": None,
    "tidings.relay_lease": None,
    "tidings.request_counts": None,
    "tidings.sign_in_failures": None,
}
READ_BY_ALL = {"tidings.kv_owned_prefixes": "the same in every organization"}

REFUSED = psycopg.errors.InsufficientPrivilege


class Matrix:
    """Two organizations with a row in every table, in one transaction that is never committed."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self.a, self.b = RowMaker(connection), RowMaker(connection)
        self.rows = self.a.make_all()
        self.b.make_all()
        # Deferred triggers have seen the rows before anybody acts in them.
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")

    @contextmanager
    def acting(self, role: str, maker: RowMaker | None) -> Iterator[None]:
        """As tidings_app in an organization and role, undone afterwards."""
        with self.connection.transaction(force_rollback=True):
            if maker is not None:
                self.connection.execute(
                    "SELECT set_config('tidings.organization_id', %s, true), "
                    "set_config('tidings.user_id', %s, true), set_config('tidings.role', %s, true)",
                    [str(maker.organization_id), str(maker.user_id), role],
                )
            self.connection.execute("SET LOCAL ROLE tidings_app")
            yield

    def attempt(self, role: str, maker: RowMaker | None, query: Any, params: Row) -> int | str:
        """How many rows a statement met, or the SQLSTATE that refused it."""
        try:
            with self.acting(role, maker):
                return self.connection.execute(query, params).rowcount
        except psycopg.Error as error:
            return error.sqlstate or "lost"

    def where(self, table: str) -> tuple[sql.Composable, Row]:
        """The condition that picks organization A's row of a table."""
        if table in TIED_BY:
            column = TIED_BY[table]
            if column is None:
                return sql.SQL("true"), {}
            return sql.SQL("{} = %(tie)s").format(sql.Identifier(column)), {
                "tie": self.rows[table][column]
            }
        return sql.SQL("organization_id = %(tie)s"), {"tie": self.a.organization_id}

    def updatable(self, table: str) -> list[str]:
        """The columns that tidings_app may update, or one that it may not when there are none."""
        rows = self.connection.execute(
            "SELECT attname::text, has_column_privilege('tidings_app', attrelid, attnum, 'UPDATE') "
            "FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
            "AND attidentity = ''",
            [table],
        ).fetchall()
        return [name for name, may in rows if may] or [rows[0][0]]


@pytest.fixture
def matrix(schema: psycopg.Connection) -> Matrix:
    return Matrix(schema)


def protected(connection: psycopg.Connection) -> list[str]:
    """Every table whose rows belong to somebody."""
    return [table for table in tables(connection) if table not in READ_BY_ALL]


def statements(matrix: Matrix, table: str, operation: str) -> Iterator[tuple[Any, Row]]:
    """What somebody else could try at organization A's row."""
    where, params = matrix.where(table)
    target = sql.SQL(table)
    if operation == "SELECT":
        yield sql.SQL("SELECT 1 FROM {} WHERE {}").format(target, where), params
        yield sql.SQL("SELECT 1 FROM {} AS t WHERE {} FOR UPDATE").format(target, where), params
    elif operation == "INSERT":
        row = matrix.a.compose(table)
        yield insert_statement(table, row), row
    elif operation == "UPDATE":
        for column in matrix.updatable(table):
            query = sql.SQL("UPDATE {} SET {} = {} WHERE {}")
            name = sql.Identifier(column)
            yield query.format(target, name, name, where), params
    else:
        yield sql.SQL("DELETE FROM {} WHERE {}").format(target, where), params


def allowed(operation: str, outcome: int | str) -> bool:
    """Nothing met, or refused for want of rights; an insert is always refused."""
    if operation == "INSERT":
        return outcome == "42501"
    return outcome in (0, "42501")


@pytest.mark.parametrize("operation", ["SELECT", "INSERT", "UPDATE", "DELETE"])
@pytest.mark.parametrize("role", ROLES)
def test_another_organization_meets_nothing(matrix: Matrix, role: str, operation: str) -> None:
    leaks = [
        (table, query.as_string(), outcome)
        for table in protected(matrix.connection)
        for query, params in statements(matrix, table, operation)
        if not allowed(operation, outcome := matrix.attempt(role, matrix.b, query, params))
    ]
    assert leaks == []


@pytest.mark.parametrize("operation", ["SELECT", "INSERT", "UPDATE", "DELETE"])
def test_without_a_tenant_nothing_is_met(matrix: Matrix, operation: str) -> None:
    leaks = [
        (table, query.as_string(), outcome)
        for table in protected(matrix.connection)
        for query, params in statements(matrix, table, operation)
        if (outcome := matrix.attempt("", None, query, params)) != "TD000"
        and not allowed(operation, outcome)
    ]
    assert leaks == []


@pytest.mark.parametrize("role", ROLES)
def test_a_row_cannot_be_moved_to_another_organization(matrix: Matrix, role: str) -> None:
    leaks = []
    for table in protected(matrix.connection):
        if table in TIED_BY:
            continue
        query = sql.SQL(
            "UPDATE {} SET organization_id = %(a)s WHERE organization_id = %(b)s"
        ).format(sql.SQL(table))
        params = {"a": matrix.a.organization_id, "b": matrix.b.organization_id}
        outcome = matrix.attempt(role, matrix.b, query, params)
        if outcome not in (0, "42501"):
            leaks.append((table, outcome))
    assert leaks == []


@pytest.mark.parametrize("operation", ["INSERT", "UPDATE", "DELETE"])
@pytest.mark.parametrize("role", ROLES)
def test_what_all_may_read_nobody_may_change(matrix: Matrix, role: str, operation: str) -> None:
    for table in READ_BY_ALL:
        tried = {
            "INSERT": insert_statement(table, matrix.a.compose(table)),
            "UPDATE": sql.SQL("UPDATE {} SET owner = owner").format(sql.SQL(table)),
            "DELETE": sql.SQL("DELETE FROM {}").format(sql.SQL(table)),
        }
        outcome = matrix.attempt(role, matrix.a, tried[operation], matrix.a.compose(table))
        assert outcome == "42501", table


def test_the_matrix_is_not_empty(matrix: Matrix) -> None:
    """Each row that others may not see is there, and its own organization sees what it may."""
    unseen = []
    for table in protected(matrix.connection):
        where, params = matrix.where(table)
        query = sql.SQL("SELECT 1 FROM {} WHERE {}").format(sql.SQL(table), where)
        assert matrix.connection.execute(query, params).rowcount >= 1, table
        outcomes = {matrix.attempt(role, matrix.a, query, params) for role in ROLES}
        if outcomes == {"42501"}:
            unseen.append(table)
        else:
            assert outcomes - {0, "42501"}, (table, outcomes)  # triggers may add rows to it
    # Column grants: whole-row reads of these are refused, and that is checked above.
    assert set(unseen) >= {table for table, column in TIED_BY.items() if column is None}


def test_every_table_without_an_organization_is_in_the_matrix(matrix: Matrix) -> None:
    named = {f"tidings.{name}" for name in NOT_OF_A_TENANT} - {"tidings.schema_version"}
    assert named == {*TIED_BY, *READ_BY_ALL}


def test_a_table_without_policies_of_its_tenant_is_found(matrix: Matrix) -> None:
    """The matrix can fail: a table that everyone reads and writes shows in each operation."""
    matrix.connection.execute("CREATE TABLE tidings.bad (organization_id uuid NOT NULL, n integer)")
    matrix.connection.execute("GRANT ALL ON tidings.bad TO tidings_app")
    matrix.a.row_of("tidings.bad")
    for operation in ("SELECT", "INSERT", "UPDATE", "DELETE"):
        outcomes = [
            matrix.attempt("member", matrix.b, query, params)
            for query, params in statements(matrix, "tidings.bad", operation)
        ]
        assert not all(allowed(operation, outcome) for outcome in outcomes), operation


def test_a_table_that_no_plain_row_fits_is_named(schema: psycopg.Connection) -> None:
    schema.execute(
        "CREATE TABLE tidings.odd (organization_id uuid, n integer NOT NULL CHECK (n > 9))"
    )
    with pytest.raises(AssertionError, match=r"tidings\.odd refuses the plain row"):
        RowMaker(schema).make_all()
