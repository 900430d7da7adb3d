"""`tidings ai`: what an organization allows, its budgets, what it used and what left."""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter
from cyclopts.validators import Number

from tidings.ai.access import Policy, read_policy, set_policy
from tidings.ai.budget import Budget, Period, list_budgets, set_budget
from tidings.ai.egress import list_egress
from tidings.ai.ledger import list_usage
from tidings.ai.usage import Dimension, UsageSum, UsageTotals, read_usage_totals
from tidings.base.errors import InputInvalid
from tidings.cli.output import Json, moment, plain, print_json, print_table, say
from tidings.cli.session import Organization, open_session

app = App(name="ai", help="What AI may do, spend and send.")

NONE = "none"
Most = Annotated[int, Parameter(help="Most rows to print.", validator=Number(gte=1, lte=1000))]


@app.command
async def show(*, organization: Organization = None, json: Json = False) -> None:
    """Print what the organization allows and prefers.

    Example: tidings ai show --json
    """
    async with open_session(organization) as session:
        _print_policy(await read_policy(session.db, session.tenant), as_json=json)


@app.command
async def switch(
    mode: Annotated[
        Literal["off", "local", "provider"],
        Parameter(help="off: no AI; local: nothing leaves; provider: any configured engine."),
    ],
    /,
    *,
    engine: Annotated[
        str | None,
        Parameter(help=f"local or provider:model; {NONE} takes TIDINGS_ENGINE; unset: as it is."),
    ] = None,
    redaction: Annotated[
        bool | None,
        Parameter(help="Mask addresses, phone and card numbers before a text leaves."),
    ] = None,
    organization: Organization = None,
    json: Json = False,
) -> None:
    """Set what AI may do; it holds from the next call on.

    Example: tidings ai switch provider --engine openai:gpt-4o-mini --redaction
    """
    async with open_session(organization) as session:
        changed = await set_policy(
            session.db,
            session.tenant,
            ai_mode=mode,
            engine=msgspec.UNSET if engine is None else None if engine == NONE else engine,
            redaction=redaction,
        )
    _print_policy(changed, as_json=json)


@app.command
async def budget(
    period: Annotated[Period | None, Parameter(help="day or month; unset: print both.")] = None,
    amount: Annotated[
        str | None, Parameter(help=f"USD to allow in it; {NONE} removes the limit.")
    ] = None,
    /,
    *,
    organization: Organization = None,
    json: Json = False,
) -> None:
    """Print the budgets, or set one.

    Example: tidings ai budget day 5.00
    """
    async with open_session(organization) as session:
        if period is None or amount is None:
            found = await list_budgets(session.db, session.tenant)
        else:
            found = await set_budget(session.db, session.tenant, period, _amount(amount))
    if json:
        print_json(found)
        return
    print_table(("Period", "Limit", "Spent", "Reserved", "Resets"), map(_row, found))


@app.command
async def usage(
    *,
    by: Annotated[
        Dimension | None, Parameter(help="Sum up by day, operation or engine instead.")
    ] = None,
    since: Annotated[
        date | None, Parameter(help="First day of the sums; unset: 30 days in all.")
    ] = None,
    until: Annotated[date | None, Parameter(help="Last day of the sums; unset: today.")] = None,
    limit: Most = 50,
    organization: Organization = None,
    json: Json = False,
) -> None:
    """List calls to providers with tokens and cost, the newest first, or sum them up.

    Example: tidings ai usage --by operation --since 2026-11-01
    """
    if by is not None:
        async with open_session(organization) as session:
            totals = await read_usage_totals(session.db, session.tenant, since=since, until=until)
        _print_totals(totals, by, as_json=json)
        return
    async with open_session(organization) as session:
        found = await list_usage(session.db, session.tenant, after=None, limit=limit)
    if json:
        print_json(found)
        return
    print_table(
        ("When", "Operation", "Engine", "In", "Out", "USD", "Status"),
        (
            (
                moment(use.created_at),
                use.operation,
                plain(use.engine),
                str(use.prompt_tokens),
                str(use.completion_tokens),
                str(use.cost),
                use.status,
            )
            for use in found
        ),
    )


@app.command
async def egress(
    *, limit: Most = 50, organization: Organization = None, json: Json = False
) -> None:
    """List what left for providers, the newest first; never the text itself.

    Example: tidings ai egress --json
    """
    async with open_session(organization) as session:
        found = await list_egress(session.db, session.tenant, before=None, limit=limit)
    if json:
        print_json(found)
        return
    print_table(
        ("When", "To", "Operation", "Engine", "Bytes", "Masked"),
        (
            (
                moment(left.sent_at),
                plain(left.destination),
                left.operation,
                plain(left.engine),
                str(left.bytes),
                ", ".join(f"{count} {kind}" for kind, count in left.redacted.items()),
            )
            for left in found
        ),
    )


def _print_totals(totals: UsageTotals, by: Dimension, *, as_json: bool) -> None:
    if as_json:
        print_json(totals)
        return
    sums: list[UsageSum] = getattr(totals, f"by_{by}")
    total = msgspec.structs.replace(totals.total, key="total")
    print_table(
        (by.capitalize(), "Calls", "Failed", "In", "Out", "USD"),
        (
            (
                plain(each.key),
                str(each.calls),
                str(each.failed),
                str(each.prompt_tokens),
                str(each.completion_tokens),
                str(each.cost),
            )
            for each in [*sums, total]
        ),
    )


def _print_policy(policy: Policy, *, as_json: bool) -> None:
    if as_json:
        print_json(policy)
        return
    masks = "masked" if policy.redaction else "not masked"
    engine = plain(policy.engine) if policy.engine else "as TIDINGS_ENGINE says"
    say(f"AI: {policy.ai_mode}; engine: {engine}; addresses and numbers: {masks}.")


def _row(budget: Budget) -> tuple[str, ...]:
    limit = NONE if budget.amount is None else str(budget.amount)
    return budget.period, limit, str(budget.settled), str(budget.reserved), moment(budget.resets_at)


def _amount(text: str) -> Decimal | None:
    if text == NONE:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        problem = f"must be USD, for example 5.00, or {NONE}"
        raise InputInvalid.of("amount", problem) from None
