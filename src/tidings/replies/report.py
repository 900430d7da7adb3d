"""What the rules did: the log, and sums of it."""

from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from tidings.base import clock
from tidings.base.cursor import Page, decode_cursor, listing
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Row

sql = load_queries("tidings.replies")

Outcome = Literal["drafted", "sent", "proposed", "stopped"]

_BY_NOTHING, _BY_RULE, _BY_DAY, _BY_GUARD = 7, 3, 5, 6
"""GROUPING(rule, day, guard): a bit is set for what was not grouped by."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One message that a rule matched, and what became of it.

    `ai_customized` is what really happened; `ai_note` says by which engine, or why not. `matched`
    are the conditions that held; `guard` is what stopped it. `sent` is approved by the rule and
    handed to the outbox; `approval_status` says how far it is now.
    """

    id: UUID
    rule_id: UUID
    rule_name: str
    channel_id: UUID
    message_id: UUID
    sender_id: str
    outcome: Outcome
    guard: str | None
    response_text: str | None
    proposals: list[str]
    matched: list[dict[str, str]]
    ai_customized: bool
    ai_note: str | None
    approval_id: UUID | None
    approval_status: str | None
    created_at: datetime


class LogPage(msgspec.Struct, frozen=True):
    """One page of the log."""

    items: list[Entry]
    next_cursor: str | None


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages were matched, and what became of them."""

    matched: int = 0
    drafted: int = 0
    sent: int = 0
    proposed: int = 0
    stopped: int = 0
    ai_customized: int = 0

    @property
    def replies(self) -> int:
        """Texts that were made for a sender."""
        return self.drafted + self.sent


class RuleSums(Sums, frozen=True, kw_only=True):
    """Of one rule, which may be gone."""

    rule_id: UUID
    rule_name: str


class DaySums(Sums, frozen=True, kw_only=True):
    """Of one day in UTC."""

    day: date


class Analytics(msgspec.Struct, frozen=True, kw_only=True):
    """The last days: totals, by rule (the busiest first), by day (each, oldest first), by guard.

    `ai_rate` is the share of the replies that were personalised, 0 to 1.
    """

    days: int
    totals: Sums
    ai_rate: float
    by_rule: list[RuleSums]
    by_day: list[DaySums]
    by_guard: dict[str, int]


async def read_log(
    db: Database,
    tenant: Tenant,
    page: Page,
    *,
    rule_id: UUID | None = None,
    outcome: Outcome | None = None,
) -> LogPage:
    """The tenant's own log, the newest first: one round trip. Raises `CursorInvalid`."""
    kind = listing("auto-response-log", rule=rule_id, outcome=outcome)
    position = decode_cursor(kind, page.cursor, tuple[datetime, UUID])
    at, last = position or (None, None)
    params = {
        "rule_id": rule_id,
        "outcome": outcome,
        "before_at": at,
        "before_id": last,
        "limit": page.limit + 1,
    }
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.list_log, params, row=Entry)
    return LogPage(*page.cut(kind, found.rows, lambda entry: (entry.created_at, entry.id)))


async def read_analytics(db: Database, tenant: Tenant, days: int = 30) -> Analytics:
    """Sums of the tenant's own log over the last days, today included: one round trip."""
    today = clock.now().date()
    first = today - timedelta(days=days - 1)
    async with db.report_batch(tenant) as batch:
        since = datetime.combine(first, datetime.min.time(), clock.now().tzinfo)
        found = batch.add(sql.analytics, {"since": since})
    rows = found.rows
    (total,) = [_sums(row) for row in rows if row["level"] == _BY_NOTHING]
    by_day = {row["day"]: _sums(row) for row in rows if row["level"] == _BY_DAY}
    dates = [first + timedelta(days=n) for n in range(days)]
    return Analytics(
        days=days,
        totals=Sums(**total),
        ai_rate=round(total["ai_customized"] / (total["drafted"] + total["sent"] or 1), 4),
        by_rule=[
            RuleSums(**_sums(row), rule_id=row["rule_id"], rule_name=row["rule_name"])
            for row in rows
            if row["level"] == _BY_RULE
        ],
        by_day=[DaySums(**by_day.get(day, {}), day=day) for day in dates],
        by_guard={
            row["guard"]: row["stopped"]
            for row in rows
            if row["level"] == _BY_GUARD and row["guard"] is not None
        },
    )


def _sums(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in Sums.__struct_fields__}
