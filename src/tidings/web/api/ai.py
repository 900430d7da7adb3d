"""AI over HTTP: what an organization allows, its budgets, what it used and what left."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Router, get, put
from litestar.params import FromPath, QueryParameter

from tidings.ai.access import AiMode, Policy, read_policy, set_policy
from tidings.ai.budget import Budget, Period, list_budgets, set_budget
from tidings.ai.egress import Egress, list_egress
from tidings.ai.ledger import TokenUse, list_usage
from tidings.ai.usage import UsageTotals, read_usage_totals
from tidings.base.cursor import decode_cursor, encode_cursor
from tidings.web import examples
from tidings.web.documented import documented
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.paging import Cursor, Limit

Since = Annotated[
    date | None, QueryParameter(description="First day that counts; unset: 30 days in all.")
]
Until = Annotated[
    date | None,
    QueryParameter(description="Last day that counts, in the organization's time zone; today."),
]


class PolicyRequest(msgspec.Struct, frozen=True):
    """What to change; null as `engine` takes TIDINGS_ENGINE."""

    ai_mode: AiMode | None = None
    engine: str | msgspec.UnsetType | None = msgspec.UNSET
    redaction: bool | None = None


class BudgetRequest(msgspec.Struct, frozen=True):
    """USD with up to 6 places; null: no limit."""

    amount: Decimal | None


class BudgetList(msgspec.Struct, frozen=True):
    """Day and month."""

    items: list[Budget]


class UsagePage(msgspec.Struct, frozen=True):
    """One page of calls to providers."""

    items: list[TokenUse]
    next_cursor: str | None


class EgressPage(msgspec.Struct, frozen=True):
    """One page of what left."""

    items: list[Egress]
    next_cursor: str | None


class _Position(msgspec.Struct, frozen=True):
    at: datetime
    id: UUID


@get(
    "/ai/settings",
    opt={"scope": "admin"},
    responses=documented(403),
    operation_id="getAiSettings",
)
async def settings(access: GivenAccess, services: GivenServices) -> Policy:
    """For admins: what AI may do here, with which engine, and whether texts are masked."""
    return await read_policy(services.db, access.tenant)


@put(
    "/ai/settings",
    opt={"scope": "admin"},
    responses=documented(403, 413),
    operation_id="changeAiSettings",
)
async def change_settings(
    data: Annotated[PolicyRequest, examples.AI_SETTINGS],
    access: GivenAccess,
    services: GivenServices,
) -> Policy:
    """For admins: change what is given; it holds from the next call on."""
    return await set_policy(
        services.db,
        access.tenant,
        ai_mode=data.ai_mode,
        engine=data.engine,
        redaction=data.redaction,
        kind=access.kind,
    )


@get(
    "/ai/budgets",
    opt={"scope": "engagement"},
    responses=documented(403),
    operation_id="listAiBudgets",
)
async def budgets(access: GivenAccess, services: GivenServices) -> BudgetList:
    """Limits of the day and the month, what is spent and reserved, and when they reset."""
    return BudgetList(await list_budgets(services.db, access.tenant))


@put(
    "/ai/budgets/{period:str}",
    opt={"scope": "admin"},
    responses=documented(403, 413),
    operation_id="setAiBudget",
)
async def change_budget(
    data: Annotated[BudgetRequest, examples.AI_BUDGET],
    access: GivenAccess,
    services: GivenServices,
    period: FromPath[Period],
) -> BudgetList:
    """For admins: set or remove the limit of a day or a month."""
    changed = await set_budget(services.db, access.tenant, period, data.amount, kind=access.kind)
    return BudgetList(changed)


@get(
    "/ai/usage",
    opt={"scope": "engagement"},
    responses=documented(403),
    operation_id="listAiUsage",
)
async def usage(
    access: GivenAccess, services: GivenServices, limit: Limit = 50, cursor: Cursor = None
) -> UsagePage:
    """Calls to providers with tokens and cost, newest first, failed ones too."""
    after = decode_cursor("ai-usage", cursor, _Position)
    found = await list_usage(
        services.db,
        access.tenant,
        after=(after.at, after.id) if after else None,
        limit=limit + 1,
    )
    items = found[:limit]
    more = len(found) > limit
    last = _Position(items[-1].created_at, items[-1].id) if more else None
    return UsagePage(items, encode_cursor("ai-usage", last) if last else None)


@get(
    "/ai/usage-totals",
    opt={"scope": "engagement"},
    responses=documented(403),
    operation_id="readAiUsageTotals",
)
async def usage_totals(
    access: GivenAccess, services: GivenServices, since: Since = None, until: Until = None
) -> UsageTotals:
    """Calls, tokens and cost in a span of days: in all, by day, by operation and by engine."""
    return await read_usage_totals(services.db, access.tenant, since=since, until=until)


@get(
    "/ai/egress",
    opt={"scope": "admin"},
    responses=documented(403),
    operation_id="listAiEgress",
)
async def egress(
    access: GivenAccess, services: GivenServices, limit: Limit = 50, cursor: Cursor = None
) -> EgressPage:
    """For admins: what left for providers, when and to whom, newest first; never the text."""
    before = decode_cursor("ai-egress", cursor, UUID)
    found = await list_egress(services.db, access.tenant, before=before, limit=limit + 1)
    items = found[:limit]
    more = encode_cursor("ai-egress", items[-1].id) if len(found) > limit else None
    return EgressPage(items, more)


def ai_router() -> Router:
    """Everything below `/v1/ai`."""
    handlers = [settings, change_settings, budgets, change_budget, usage, usage_totals, egress]
    return Router("/v1", route_handlers=handlers, tags=["AI"])
