"""The message services whole: how many rules their tables have, and that indexes serve them."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from contract.rows import RowMaker
from contract.test_queries import PACKAGES, numbered, queries
from tidings.db.verify import read_catalog, render_catalog

NINE = (
    "message_auto_responses",
    "message_auto_response_log",
    "conversation_summaries",
    "summary_cache",
    "conversation_intelligence",
    "sentiment_history",
    "topic_detection_history",
    "brainstorm_sessions",
    "brainstorm_ai_cache",
)
REVISIONS = ("0016_", "0018_", "0019_", "0020_")
ROWS = 3000
INDEXES = "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "


def test_the_nine_tables_have_what_was_promised(schema: psycopg.Connection) -> None:
    """At least 39 indexes, 12 functions, 5 triggers and 25 policies, each listed."""
    listed = render_catalog(read_catalog(schema))
    nine = [f"tidings.{name}" for name in NINE]
    # The index of a key is listed as its constraint.
    indexes = [
        name
        for (name,) in schema.execute(
            INDEXES + "WHERE i.indrelid = ANY (%s::regclass[])", [nine]
        ).fetchall()
    ]
    triggers = schema.execute(
        "SELECT c.relname || '.' || t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE NOT t.tgisinternal AND t.tgrelid = ANY (%s::regclass[])",
        [nine],
    ).fetchall()
    policies = schema.execute(
        "SELECT c.relname || '.' || p.polname FROM pg_policy p JOIN pg_class c ON c.oid = "
        "p.polrelid WHERE p.polrelid = ANY (%s::regclass[])",
        [nine],
    ).fetchall()
    functions = set(_functions())
    assert len(indexes) >= 39
    assert len(functions) >= 12
    assert len(triggers) >= 5
    assert len(policies) >= 25
    unlisted = [
        *(
            name
            for name in indexes
            if not re.search(rf"^(index|constraint) .*\b{name}:", listed, re.MULTILINE)
        ),
        *(name for (name,) in triggers if f"trigger {name}:" not in listed),
        *(name for (name,) in policies if f"policy {name}:" not in listed),
        *(name for name in functions if f"function {name}(" not in listed),
    ]
    assert unlisted == []


def test_what_the_nine_hold_is_found_by_indexes(schema: psycopg.Connection) -> None:
    """Of the scans of the nine tables in all named queries, planned as the service on tables of
    thousands of rows, more than 90 % are by an index."""
    if schema.info.server_version < 160000:
        pytest.skip("needs PostgreSQL 16, as the embedded one: 15 has no EXPLAIN (GENERIC_PLAN)")
    maker = RowMaker(schema)
    maker.make_all()
    schema.execute("SET LOCAL session_replication_role = replica")
    for name in NINE:
        _multiply(schema, name)
    schema.execute("SET LOCAL session_replication_role = origin")
    schema.execute(
        "SELECT set_config('tidings.organization_id', %s, true), set_config('tidings.user_id', %s, "
        "true), set_config('tidings.role', 'member', true)",
        [str(maker.organization_id), str(maker.user_id)],
    )
    schema.execute("SET LOCAL ROLE tidings_app")
    scans = Counter[str]()
    by_sequence = []
    for package in PACKAGES:
        for query in queries(package).values():
            if not any(f"tidings.{name}" in query.sql for name in NINE):
                continue
            text = b"EXPLAIN (GENERIC_PLAN, FORMAT JSON) " + numbered(schema, query)
            plan = json.loads(schema.pgconn.exec_(text).get_value(0, 0) or b"[]")
            for node in _scans(plan[0]["Plan"]):
                scans[node["Node Type"]] += 1
                if node["Node Type"] == "Seq Scan":
                    by_sequence.append(f"{package}.{query.name}: {node['Relation Name']}")
    assert scans.total() >= 30
    assert scans["Seq Scan"] < 0.1 * scans.total(), by_sequence


def _functions() -> Iterator[str]:
    """The functions that the services' own revisions make."""
    folder = Path(str(resources.files("tidings.db.migrations"))) / "sql"
    for path in sorted(folder.glob("*.up.sql")):
        if path.name.startswith(REVISIONS):
            made = re.findall(r"^CREATE FUNCTION tidings\.(\w+)\(", path.read_text(), re.MULTILINE)
            yield from made


def _multiply(connection: psycopg.Connection, name: str) -> None:
    """Thousands of rows of many organizations like the one that is there."""
    keys = {
        column
        for (column,) in connection.execute(
            "SELECT DISTINCT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = "
            "i.indrelid AND a.attnum = ANY (i.indkey::int2[]) WHERE i.indisunique AND i.indrelid "
            "= %s::regclass",
            [f"tidings.{name}"],
        ).fetchall()
    }
    columns = connection.execute(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = "
        "%s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
        [f"tidings.{name}"],
    ).fetchall()
    values = [sql.SQL(_value(column, kind, column in keys)) for column, kind in columns]
    connection.execute(
        sql.SQL(
            "INSERT INTO {table} ({columns}) SELECT {values} FROM (SELECT * FROM {table} LIMIT 1) "
            "AS r CROSS JOIN generate_series(1, {rows}) AS n"
        ).format(
            table=sql.Identifier("tidings", name),
            columns=sql.SQL(", ").join(sql.Identifier(column) for column, _ in columns),
            values=sql.SQL(", ").join(values),
            rows=sql.Literal(ROWS),
        )
    )
    connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier("tidings", name)))


def _value(column: str, kind: str, is_key: bool) -> str:
    if column == "organization_id":
        return "CASE WHEN n % 20 = 0 THEN r.organization_id ELSE md5((n % 20)::text)::uuid END"
    if kind == "timestamp with time zone":
        return f"r.\"{column}\" - n * interval '1 minute'"
    if not is_key:
        return f'r."{column}"'
    return {
        "uuid": "gen_random_uuid()",
        "text": "encode(sha256(n::text::bytea), 'hex')",
        "bigint": "n",
    }.get(kind, f'r."{column}"')


def _scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if plan.get("Relation Name") in NINE and "Scan" in plan["Node Type"]:
        yield plan
    for part in plan.get("Plans", []):
        yield from _scans(part)
