"""What AI used and cost in a span of days: in all, and by day, operation and engine."""

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from tidings.base.errors import InputInvalid
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database

sql = load_queries("tidings.ai")

MOST_DAYS = 400
_DAYS = 30

Dimension = Literal["day", "operation", "engine"]


class UsageSum(msgspec.Struct, frozen=True):
    """Calls to providers, of one `key`: a day as 2026-11-21, an operation, an engine; "" for all.

    `cost` is in USD with 6 places; `failed` of the calls gave no answer that could be used.
    """

    key: str
    calls: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost: Decimal


class UsageTotals(msgspec.Struct, frozen=True):
    """Sums over the days from `since` to `until`, both included, in the organization's time zone.

    By day in order, else the dearest first; the sums of each list add up to `total`.
    """

    since: date
    until: date
    total: UsageSum
    by_day: list[UsageSum]
    by_operation: list[UsageSum]
    by_engine: list[UsageSum]


class _Span(msgspec.Struct, frozen=True):
    since: date
    until: date


class _Row(UsageSum, frozen=True):
    dimension: Dimension | Literal["total"]


async def read_usage_totals(
    db: Database, tenant: Tenant, *, since: date | None = None, until: date | None = None
) -> UsageTotals:
    """The sums of a span of days: up to today and of 30 days, unless they are given.

    A call counts on the day on which its money was set aside, as in the budgets. Raises
    `InputInvalid` for a span that is empty or longer than 400 days.
    """
    for field, given in (("since", since), ("until", until)):
        if given is not None and not 1970 <= given.year <= 2999:
            raise InputInvalid.of(field, "must be a year from 1970 to 2999")
    params = {"since": since, "until": until, "days": _DAYS}
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        spans = batch.add(sql.usage_span, params, row=_Span)
        found = batch.add(sql.usage_totals, {**params, "most": MOST_DAYS}, row=_Row)
    span = spans.one()
    if not 0 <= (span.until - span.since).days < MOST_DAYS:
        raise InputInvalid.of("since", f"must be on or before until, by less than {MOST_DAYS} days")
    by: dict[str, list[UsageSum]] = {}
    for row in found.rows:
        plain = {name: getattr(row, name) for name in UsageSum.__struct_fields__}
        by.setdefault(row.dimension, []).append(UsageSum(**plain))
    return UsageTotals(
        since=span.since,
        until=span.until,
        total=by["total"][0],
        by_day=sorted(by.get("day", []), key=lambda each: each.key),
        by_operation=by.get("operation", []),
        by_engine=by.get("engine", []),
    )
