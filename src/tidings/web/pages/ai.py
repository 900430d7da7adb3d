"""AI for admins: what it may do, what it may cost, what it used and what left."""

from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, get_args
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromQuery

from tidings.ai.access import AiMode, read_policy, set_policy
from tidings.ai.budget import Budget, Period, list_budgets, set_budget
from tidings.ai.egress import list_egress
from tidings.ai.usage import UsageSum, UsageTotals, read_usage_totals
from tidings.base.cursor import decode_cursor, encode_cursor
from tidings.base.errors import EngineUnknown, InputInvalid
from tidings.tenancy.access import Access
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.shell import Notice, go, page
from tidings.web.services import Services

_LEFT = 20
_CURSOR = "ai-page"
_PERIODS = {"day": "Today", "month": "This month"}


@get("/settings/ai", opt={"scope": "admin"})
async def show(
    request: AnyRequest,
    access: GivenAccess,
    services: GivenServices,
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """The switch, the budgets, sums of the last 30 days, and what left."""
    return await _page(request, access, services, cursor=cursor)


@post("/settings/ai", opt={"scope": "admin"}, status_code=303)
async def change(
    request: AnyRequest, access: GivenAccess, services: GivenServices
) -> Response[Any]:
    """Set what AI may do, with which engine, and whether texts are masked."""
    form = await request.form()
    mode, engine = str(form.get("ai_mode", "")), str(form.get("engine", "")).strip()
    typed = {"ai_mode": mode, "engine": engine, "redaction": form.get("redaction") == "on"}
    errors: dict[str, str] = {}
    if mode not in get_args(AiMode):
        errors["ai_mode"] = "Choose one of the three."
    else:
        try:
            await set_policy(
                services.db,
                access.tenant,
                ai_mode=mode,  # type: ignore[arg-type]
                engine=engine or None,
                redaction=bool(typed["redaction"]),
                kind=access.kind,
            )
        except EngineUnknown as error:
            errors["engine"] = error.message
    if errors:
        return await _page(request, access, services, typed=typed, errors=errors)
    return go("/settings/ai", Notice("ok", "Saved. It holds from the next call on."))


@post("/settings/ai/budget", opt={"scope": "admin"}, status_code=303)
async def limit(request: AnyRequest, access: GivenAccess, services: GivenServices) -> Response[Any]:
    """Set the limit of a day or a month; an empty one removes it."""
    form = await request.form()
    period, typed = str(form.get("period", "")), str(form.get("amount", "")).strip()
    if period not in get_args(Period):
        raise InputInvalid("period must be day or month.")
    try:
        amount = _money(typed)
        await set_budget(services.db, access.tenant, period, amount, kind=access.kind)  # type: ignore[arg-type]
    except InputInvalid as error:
        return await _page(
            request,
            access,
            services,
            limits={period: typed},
            errors={period: error.errors[0].message},
        )
    said = "There is no limit now." if amount is None else f"The limit is {amount:f} USD now."
    return go("/settings/ai", Notice("ok", said))


async def _page(
    request: AnyRequest,
    access: Access,
    services: Services,
    *,
    cursor: str | None = None,
    typed: dict[str, Any] | None = None,
    limits: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> Response[str]:
    db, tenant = services.db, access.tenant
    before = decode_cursor(_CURSOR, cursor, UUID)
    policy = await read_policy(db, tenant)
    budgets = await list_budgets(db, tenant)
    totals = await read_usage_totals(db, tenant)
    left = await list_egress(db, tenant, before=before, limit=_LEFT + 1)
    more = len(left) > _LEFT and encode_cursor(_CURSOR, left[_LEFT - 1].id)
    context = {
        "form": typed
        or {
            "ai_mode": policy.ai_mode,
            "engine": policy.engine or "",
            "redaction": policy.redaction,
        },
        "default_engine": services.settings.engine,
        "budgets": [_budget(each, (limits or {}).get(each.period)) for each in budgets],
        "errors": errors or {},
        "total": totals.total,
        "days": _days(totals),
        "operations": _shares(totals.by_operation),
        "engines": _shares(totals.by_engine),
        "left": left[:_LEFT],
        "next_url": f"/settings/ai?cursor={more}" if more else None,
        "first_url": "/settings/ai" if cursor else None,
    }
    return page(request, "ai/index.html", context, status=400 if errors else 200)


def _budget(budget: Budget, typed: str | None) -> dict[str, Any]:
    amount = budget.amount
    shown = None if amount is None else f"{amount.normalize():f}"
    settled = _percent(budget.settled, amount)
    return {
        "period": budget.period,
        "name": _PERIODS[budget.period],
        "limit": shown,
        "typed": typed if typed is not None else shown or "",
        "settled": budget.settled,
        "reserved": budget.reserved,
        "resets_at": budget.resets_at,
        "settled_percent": settled,
        "held_percent": min(100.0, settled + _percent(budget.reserved, amount)),
    }


def _percent(part: Decimal, whole: Decimal | None) -> float:
    if whole is None:
        return 0.0
    return 100.0 if whole == 0 else min(100.0, round(float(100 * part / whole), 1))


def _shares(sums: list[UsageSum]) -> list[dict[str, Any]]:
    dearest = max((each.cost for each in sums), default=Decimal(0))
    return [{"sum": each, "share": _percent(each.cost, dearest or None)} for each in sums]


def _days(totals: UsageTotals) -> list[dict[str, Any]]:
    """Every day of the span, also those without a call."""
    costs = {each.key: each.cost for each in totals.by_day}
    dearest = max(costs.values(), default=Decimal(0)) or None
    span = (totals.until - totals.since).days + 1
    days = [totals.since + timedelta(days=n) for n in range(span)]
    return [
        {
            "day": day,
            "cost": costs.get(str(day), Decimal(0)),
            "share": _percent(costs.get(str(day), Decimal(0)), dearest),
        }
        for day in days
    ]


def _money(typed: str) -> Decimal | None:
    if not typed:
        return None
    try:
        return Decimal(typed)
    except InvalidOperation:
        # Whatever it is, it is no amount: said as the budget says it of one.
        return Decimal("NaN")


def ai_pages() -> Router:
    """The page and its two forms."""
    return Router("/", route_handlers=[show, change, limit])
