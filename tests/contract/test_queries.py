"""Every named query: a name and a sentence, used, prepared and planned as the role that runs it."""

import ast
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import psycopg
import pytest
from psycopg._queries import PostgresQuery
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus

from tidings.db.queries import Query, parse_queries

SOURCE = Path(str(resources.files("tidings")))
PACKAGES = {
    ".".join(("tidings", *path.parent.relative_to(SOURCE).parts)): path
    for path in sorted(SOURCE.rglob("queries.sql"))
}


ACTING = (
    "SELECT set_config('tidings.organization_id', gen_random_uuid()::text, true), "
    "set_config('tidings.user_id', gen_random_uuid()::text, true), "
    "set_config('tidings.role', 'service', true)"
)


class _Nulls(dict[str, None]):
    def __missing__(self, key: str) -> None:
        return None


def queries(package: str) -> dict[str, Query]:
    return parse_queries(package, PACKAGES[package].read_text(encoding="utf-8"))


def numbered(connection: psycopg.Connection, query: Query) -> bytes:
    """The query with $1, $2 … for its %(names)s, by psycopg's own conversion."""
    converted = PostgresQuery(Transformer(connection))
    converted.convert(query.sql.encode(), _Nulls())
    return converted.query


def prepare_problem(connection: psycopg.Connection, query: Query) -> str | None:
    """What PostgreSQL has against a query, None when it prepares and plans."""
    text = numbered(connection, query)
    with connection.transaction(force_rollback=True):
        result = connection.pgconn.prepare(b"", text, None)
        if result.status != ExecStatus.COMMAND_OK:
            return result.error_message.decode(errors="replace")
    if connection.info.server_version < 160000:
        return None
    # Preparing looks at names and types; only planning looks at what the role was granted.
    with connection.transaction(force_rollback=True):
        result = connection.pgconn.exec_(b"EXPLAIN (GENERIC_PLAN) " + text)
        if result.status != ExecStatus.TUPLES_OK:
            return result.error_message.decode(errors="replace")
    return None


@pytest.mark.parametrize("package", PACKAGES)
def test_every_query_prepares_as_the_service(app: psycopg.Connection, package: str) -> None:
    app.execute(ACTING)
    problems = {
        query.name: problem
        for query in queries(package).values()
        if (problem := prepare_problem(app, query)) is not None
    }
    assert problems == {}


def test_every_query_has_one_sentence() -> None:
    for package in PACKAGES:
        for query in queries(package).values():
            assert query.sentence[0].isupper(), f"{package}.{query.name}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT nothing FROM tidings.meetings", "does not exist"),
        ("SELECT * FROM tidings.nowhere WHERE id = %(id)s", "does not exist"),
        ("SELECT password_hash FROM tidings.user_passwords", "permission denied"),
        ("SELECT tidings.protect('tidings.meetings')", "permission denied"),
    ],
)
def test_a_query_that_cannot_run_is_found(app: psycopg.Connection, text: str, reason: str) -> None:
    if reason == "permission denied" and app.info.server_version < 160000:
        pytest.skip("needs PostgreSQL 16, as the embedded one: 15 has no EXPLAIN (GENERIC_PLAN)")
    problem = prepare_problem(app, Query("bad", "Bad.", text))
    assert problem is not None
    assert reason in problem


def test_the_lowest_domain_reads_no_table_of_those_above_it() -> None:
    revisions = sorted((SOURCE / "db/migrations/sql").glob("*.up.sql"))
    made = re.compile(r"CREATE (?:UNLOGGED )?TABLE (tidings\.\w+)")
    below, above = (
        {table for path in paths for table in made.findall(path.read_text(encoding="utf-8"))}
        for paths in (revisions[:2], revisions[2:])
    )
    text = PACKAGES["tidings.tenancy"].read_text(encoding="utf-8")
    named = set(re.findall(r"tidings\.\w+", text))
    assert named & above == set()
    assert named & below


def loaded_as(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """`(name, package)` for each `name = load_queries("package")` of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            call, target = node.value, node.targets[0]
            if (
                isinstance(call.func, ast.Name)
                and call.func.id == "load_queries"
                and isinstance(call.args[0], ast.Constant)
                and isinstance(target, ast.Name)
            ):
                yield target.id, call.args[0].value


def uses() -> Iterator[tuple[str, str, str]]:
    """`(package, query, where)` for each `sql.<query>` in the code."""
    trees = {
        path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(SOURCE.rglob("*.py"))
    }
    names = {_module(path): dict(loaded_as(tree)) for path, tree in trees.items()}
    for path, tree in trees.items():
        aliases = dict(names[_module(path)])
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in names:
                for alias in node.names:
                    if alias.name in names[node.module]:
                        aliases[alias.asname or alias.name] = names[node.module][alias.name]
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id in aliases
            ):
                where = f"{path.relative_to(SOURCE)}:{node.lineno}"
                yield aliases[node.value.id], node.attr, where


def _module(path: Path) -> str:
    parts = ("tidings", *path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


def test_every_query_is_used_and_every_use_exists() -> None:
    there = {(package, name) for package in PACKAGES for name in queries(package)}
    found = list(uses())
    used = {(package, name) for package, name, _ in found}
    missing = [f"{where}: {package} has no query {name}"
               for package, name, where in found if (package, name) not in there]  # fmt: skip
    assert missing == []
    assert sorted(f"{package}.{name} is used nowhere" for package, name in there - used) == []


def reports() -> set[tuple[str, str]]:
    """`(package, query)` of what is sent in a `report_batch`: where there is an analytics pool,
    it runs as tidings_readonly."""
    lines = {
        f"{path.relative_to(SOURCE)}:{line}"
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.AsyncWith) and "report_batch" in ast.unparse(node.items[0])
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    return {(package, name) for package, name, where in uses() if where in lines}


def test_every_report_prepares_as_the_reader(readonly: psycopg.Connection) -> None:
    readonly.execute(ACTING)
    found = reports()
    assert {("tidings.kv", "kv_stats"), ("tidings.replies", "analytics")} <= found
    problems = {
        name: problem
        for package, name in found
        if (problem := prepare_problem(readonly, queries(package)[name])) is not None
    }
    assert problems == {}
