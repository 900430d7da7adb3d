"""Budgets under 64 concurrent reservers: no overspend and no false refusal, and at what rate.

The peer is arithmetic: as many calls as fit are allowed, not one more and not one fewer.
"""

import argparse
import asyncio
import time
from decimal import Decimal

import pairs
import place
from tidings.ai.budget import list_budgets, set_budget
from tidings.ai.engine_name import EngineName
from tidings.ai.spending import Call, Spending
from tidings.base.errors import BudgetExceeded
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.db.transaction import Database
from tidings.tenancy.secret_keys import load_secret_keys

AT_ONCE = 64
AMOUNT = Decimal("0.01")


def bar(name: str, title: str) -> pairs.Bar:
    """A count that has to be what arithmetic says."""
    return pairs.Bar(name, title, "exact arithmetic", "calls", 1)


async def reserve_all(spending: Spending, tenant: Tenant, calls: int) -> int:
    """How many of so many calls fit, `AT_ONCE` at a time."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one() -> bool:
        call = Call(
            id=uuid7(),
            tenant=tenant,
            run_id=None,
            operation="bench.reserve",
            engine=EngineName("openai", "gpt-4o-mini"),
            prompt_version="0123456789ab",
            amount=AMOUNT,
        )
        async with slots:
            try:
                await spending.reserve(call)
            except BudgetExceeded:
                return False
            return True

    return sum(await asyncio.gather(*(one() for _ in range(calls))))


async def over(db: Database, tenant: Tenant, limit: Decimal) -> Decimal:
    """USD beyond the limit."""
    day, _ = await list_budgets(db, tenant)
    return max(Decimal(0), day.settled + day.reserved - limit)


async def main(given: argparse.Namespace) -> None:
    """Each round reserves 1.5 times what fits."""
    fitting = 200 if given.quick else 1000
    async with place.open_place() as here:
        settings = here.settings(openai_api_key="sk-1", pool_primary_max=AT_ONCE)
        async with here.database(pool_primary_max=AT_ONCE) as db:
            spending = Spending(db, load_secret_keys(settings), settings)
            passed = Decimal(0)
            rates: list[float] = []

            async def allowed() -> float:
                nonlocal passed
                tenant = await place.new_tenant(db)
                await set_budget(db, tenant, "day", AMOUNT * fitting)
                started = time.perf_counter()
                fitted = await reserve_all(spending, tenant, fitting * 3 // 2)
                rates.append(fitting * 1.5 / (time.perf_counter() - started))
                passed += await over(db, tenant, AMOUNT * fitting)
                return fitted

            async def expected() -> float:
                return fitting

            name = "budget_allowed"
            title = f"Budget: calls that fit and are allowed, {AT_ONCE} reservers at once"
            await pairs.compare(bar(name, title), allowed, expected, given.pairs)
            print(f"overspent: {passed} USD; {min(rates):.0f} to {max(rates):.0f} reservations/s")
            if passed:
                raise SystemExit("a budget was overspent")


if __name__ == "__main__":
    pairs.run(main)
