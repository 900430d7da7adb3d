"""A valid row for any table, made from what the catalog says of its columns and foreign keys.

Where a CHECK constraint wants more than its type tells, `SAMPLES` says what. A new table needs
nothing here unless its checks refuse the plain values; then the insert fails and names it.
"""
# ruff: noqa: E501 - SQL reads better in its own lines

from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from tidings.base.ids import uuid7

Row = dict[str, Any]

PLAIN: dict[str, Any] = {
    "text": "sample",
    "character varying(32)": "sample",
    "boolean": False,
    "smallint": 1,
    "integer": 1,
    "bigint": 1,
    "numeric(14,6)": 1,
    "double precision": 0.5,
    "jsonb": Jsonb({}),
    "text[]": ["read"],
    "interval": "1 hour",
    "timestamp with time zone": "2026-01-05T09:00:00Z",
    "tsvector": "",
}

SAMPLES: dict[str, Any] = {
    "ai_budgets.period": "day",
    "ai_egress.sha256": "0" * 64,
    "ai_reservations.engine": "openai:gpt",
    "ai_reservations.operation": "a.b",
    "ai_reservations.prompt_version": "0123456789ab",
    "ai_responses.key": "0" * 64,
    "ai_spending.alerted": "{}",
    "ai_spending.ends_at": "2026-01-06T09:00:00Z",
    "ai_spending.period": "day",
    "api_keys.prefix": "tk_abcde",
    "api_keys.role": "member",
    "approvals.channel": "chat",
    "approvals.recipient": "somebody",
    "approvals.type": "message",
    "audit_log.action": "meeting.opened",
    "audit_log.actor_kind": "person",
    "brainstorm_ai_cache.key": "0" * 64,
    "channels.kind": "chat",
    "conversation_summaries.type": "catch_up",
    "do_not_contact.kind": "handle",
    "engagement_editions.lines": Jsonb([]),
    "finished_jobs.status": "completed",
    "mailboxes.tls": "implicit",
    "meetings.source": "api",
    "message_auto_response_log.outcome": "proposed",
    "message_auto_responses.rule_type": "smart_reply",
    "messages.direction": "in",
    "messages.position": 1,
    "threads.last_position": 1,
    "organization_members.role": "member",
    "organization_secrets.key_id": "0123456789abcdef",
    "organization_secrets.name": "openai_api_key",
    "organization_secrets.hint": "…key",
    "sentiment_history.sentiment": "neutral",
    "send_gateways.channel": "slack",
    "send_gateways.url": "https://example.com/gateway",
    "sessions.csrf": "c" * 43,
    "sessions.method": "password",
    "summary_cache.key": "0" * 64,
    "summary_cache.kind": "window",
    "token_usage.engine": "openai:gpt",
    "token_usage.model": "gpt",
    "token_usage.operation": "engagement.read_meeting",
    "token_usage.prompt_version": "0123456789ab",
    "token_usage.provider": "openai",
    "token_usage.status": "ok",
    "user_passwords.password_hash": "$argon2id$sample",
}

ALSO = {"conversation_summaries.user_id", "summary_cache.value"}
"""Columns that may be null and that a check of their table wants."""

MADE_WITH_ORGANIZATION = {"tidings.queue_lanes", "tidings.send_policies"}
"""A trigger makes the row of these."""

_COLUMNS = """
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod),
       a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = '' AS needed
FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""

_REFERENCES = """
SELECT k.confrelid::regclass::text, ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u (n, i)
           JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY i),
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u (n, i)
           JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY i)
FROM pg_constraint k WHERE k.conrelid = %s::regclass AND k.contype = 'f' ORDER BY cardinality(k.conkey), k.conname
"""


def tables(connection: psycopg.Connection) -> list[str]:
    """Every table of the schema but the version table, qualified."""
    rows = connection.execute(
        "SELECT 'tidings.' || relname FROM pg_class WHERE relnamespace = 'tidings'::regnamespace "
        "AND relkind IN ('r', 'p') AND relname <> 'schema_version' ORDER BY relname"
    )
    return [name for (name,) in rows]


class RowMaker:
    """Rows of one organization; a table that others refer to gets one row, made once."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self.organization_id: UUID = uuid7()
        self.user_id: UUID = uuid7()
        self.made: dict[str, Row] = {}

    def make_all(self) -> dict[str, Row]:
        """One row in every table; returns them by table."""
        for table in tables(self._connection):
            self.row_of(table)
        return self.made

    def row_of(self, table: str) -> Row:
        """The row of a table, inserted on first sight. A refusal says which table it is."""
        if table not in self.made:
            row = self.compose(table)
            try:
                self.made[table] = self._insert(table, row)
            except psycopg.Error as error:
                raise AssertionError(
                    f"{table} refuses the plain row; say in SAMPLES what it wants: {error}"
                ) from error
        return self.made[table]

    def compose(self, table: str) -> Row:
        """Values for the columns that need one, with foreign keys that hold."""
        with self._connection.cursor() as cursor:
            columns = cursor.execute(_COLUMNS, [table]).fetchall()
            references = cursor.execute(_REFERENCES, [table]).fetchall()
        row = {
            name: self._plain(table, name, kind)
            for name, kind, needed in columns
            if needed or f"{table.removeprefix('tidings.')}.{name}" in ALSO
        }
        if "organization_id" in {name for name, _, _ in columns}:
            row["organization_id"] = self.organization_id
        if table == "tidings.organizations":
            row["id"] = self.organization_id
        if table == "tidings.users":
            row |= {"id": self.user_id, "email": f"{self.user_id}@example.com"}
        for target, from_columns, to_columns in references:
            if not set(from_columns) <= set(row) or target == table:
                continue
            there = self.row_of(target)
            row |= {a: there[b] for a, b in zip(from_columns, to_columns, strict=True)}
        for name in ("user_id", "created_by", "actor_user_id"):
            if name in row or (table, name) == ("tidings.audit_log", "actor_user_id"):
                row[name] = self.user_id
        return row

    def _plain(self, table: str, column: str, kind: str) -> Any:
        key = f"{table.removeprefix('tidings.')}.{column}"
        if key in SAMPLES:
            return SAMPLES[key]
        if kind == "uuid":
            return uuid7()
        if kind == "bytea":
            return uuid7().bytes + uuid7().bytes
        if kind == "text" and column in ("prefix", "name", "worker", "domain", "key"):
            return f"{column}{uuid7().hex[-8:]}"
        if kind not in PLAIN:
            raise AssertionError(f"{key} is {kind}: say in PLAIN what a value of it looks like")
        return PLAIN[kind]

    def _insert(self, table: str, row: Row) -> Row:
        with self._connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            if table in MADE_WITH_ORGANIZATION:
                query = sql.SQL("SELECT * FROM {} WHERE organization_id = %s")
                found = cursor.execute(
                    query.format(sql.SQL(table)), [self.row_of("tidings.organizations")["id"]]
                )
                return found.fetchone() or {}
            if not row:  # a table of one row, which its revision made
                found = cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.SQL(table)))
                return found.fetchone() or {}
            made = cursor.execute(insert_statement(table, row) + sql.SQL(" RETURNING *"), row)
            return made.fetchone() or {}


def insert_statement(table: str, row: Row) -> sql.Composed:
    """INSERT of these columns."""
    if not row:
        return sql.SQL("INSERT INTO {} DEFAULT VALUES").format(sql.SQL(table))
    return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.SQL(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(map(sql.Placeholder, row)),
    )
