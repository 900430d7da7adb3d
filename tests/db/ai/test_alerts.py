"""Alerts of budgets: at 50, 80 and 100 %, once in each window, exact under concurrency."""

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tidings.ai.budget import set_budget
from tidings.ai.spending import Spending
from tidings.ai.sweep import settle_orphans
from tidings.base.errors import BudgetExceeded
from tidings.base.settings import Settings
from tidings.db.pools import primary_pool
from tidings.db.transaction import Database
from tidings.tenancy.audit import list_entries, verify_own_chain
from tidings.tenancy.secret_keys import SecretKeys

from factories.organizations import Organization, make_organization
from factories.spending import a_call, expire_leases, send, settle

Configure = Callable[..., Settings]


@pytest.fixture
def spending(db: Database, keys: SecretKeys, configure: Configure) -> Spending:
    return Spending(db, keys, configure())


@pytest.fixture
def alerts(superuser_url: str) -> Callable[[Organization], list[dict[str, Any]]]:
    """What was told an organization's subscribers, in order."""

    def read(organization: Organization) -> list[dict[str, Any]]:
        with psycopg.connect(superuser_url) as connection:
            rows = connection.execute(
                "SELECT payload FROM tidings.outbox WHERE organization_id = %s "
                "AND topic = 'ai' AND event = 'budget.alert' ORDER BY serial",
                [organization.organization_id],
            ).fetchall()
        return [row[0] for row in rows]

    return read


async def spend(
    db: Database, spending: Spending, organization: Organization, cost: str | Decimal
) -> None:
    call = a_call(organization.tenant, cost)
    await spending.reserve(call)
    await send(spending, call)
    assert await settle(db, call, Decimal(cost))


def places(told: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(alert["period"], alert["threshold"]) for alert in told]


async def test_each_threshold_is_told_once_by_an_event_and_in_the_audit_log(
    db: Database,
    spending: Spending,
    organization: Organization,
    alerts: Callable[[Organization], list[dict[str, Any]]],
) -> None:
    await set_budget(db, organization.tenant, "day", Decimal(1))
    seen = []
    for cost in ("0.49", "0.01", "0.29", "0.01", "0.19", "0.01", "0"):
        await spend(db, spending, organization, cost)
        seen.append(len(alerts(organization)))
    assert seen == [0, 1, 1, 2, 2, 3, 3]
    told = alerts(organization)
    assert places(told) == [("day", 50), ("day", 80), ("day", 100)]
    assert told[1] | {"starts_at": None, "resets_at": None} == {
        "period": "day",
        "threshold": 80,
        "amount": "1.000000",
        "settled": "0.800000",
        "reserved": "0.000000",
        "is_refusing": False,
        "starts_at": None,
        "resets_at": None,
    }
    entries = await list_entries(db, organization.tenant, target="budget:day")
    recorded = [entry for entry in entries if entry.action == "ai.budget.alert"]
    assert [(e.actor_kind, e.actor_user_id, e.payload) for e in reversed(recorded)] == [
        ("service", None, alert) for alert in told
    ]
    assert (await verify_own_chain(db, organization.tenant)).intact


async def test_a_jump_tells_every_threshold_that_it_passed(
    db: Database,
    spending: Spending,
    organization: Organization,
    alerts: Callable[[Organization], list[dict[str, Any]]],
) -> None:
    await set_budget(db, organization.tenant, "month", Decimal(1))
    await spend(db, spending, organization, "0.85")
    assert places(alerts(organization)) == [("month", 50), ("month", 80)]


@pytest.mark.parametrize("limit", ["1", "0"])
async def test_the_first_call_that_does_not_fit_is_told(
    db: Database,
    spending: Spending,
    organization: Organization,
    alerts: Callable[[Organization], list[dict[str, Any]]],
    limit: str,
) -> None:
    await set_budget(db, organization.tenant, "day", Decimal(limit))
    await set_budget(db, organization.tenant, "month", Decimal(100))
    for _ in range(3):
        with pytest.raises(BudgetExceeded):
            await spending.reserve(a_call(organization.tenant, "2"))
    (told,) = alerts(organization)
    assert (told["period"], told["threshold"], told["is_refusing"]) == ("day", 100, True)


async def test_a_new_limit_is_told_of_anew(
    db: Database,
    spending: Spending,
    organization: Organization,
    alerts: Callable[[Organization], list[dict[str, Any]]],
) -> None:
    await set_budget(db, organization.tenant, "day", Decimal(1))
    await spend(db, spending, organization, "0.6")
    await set_budget(db, organization.tenant, "day", Decimal(10))
    await spend(db, spending, organization, "0.1")
    assert places(alerts(organization)) == [("day", 50)]
    await spend(db, spending, organization, "5")
    assert places(alerts(organization)) == [("day", 50)] * 2


async def test_what_a_crash_left_is_told_of_too_and_without_a_limit_nothing_is(
    db: Database,
    spending: Spending,
    organization: Organization,
    other_organization: Organization,
    superuser_url: str,
    alerts: Callable[[Organization], list[dict[str, Any]]],
) -> None:
    await set_budget(db, organization.tenant, "day", Decimal(1))
    for house in (organization, other_organization):
        call = a_call(house.tenant, "0.5")
        await spending.reserve(call)
        await send(spending, call)
    expire_leases(superuser_url)
    assert await settle_orphans(db) == 2
    assert places(alerts(organization)) == [("day", 50)]
    assert alerts(other_organization) == []


@pytest.fixture
async def wide(configure: Configure, database_url: str) -> AsyncIterator[Database]:
    """Doors for 64 at once, each on a connection of its own, however long those take."""
    wide = configure(pool_primary_max=64, pool_timeout=60)
    database = Database(primary_pool(wide, database_url))
    await database.open()
    yield database
    await database.close()


@examples(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(costs=st.lists(st.integers(1, 40_000), min_size=64, max_size=64), refused=st.booleans())
async def test_64_at_once_tell_each_threshold_exactly_once(
    wide: Database,
    keys: SecretKeys,
    configure: Configure,
    superuser_url: str,
    alerts: Callable[[Organization], list[dict[str, Any]]],
    costs: list[int],
    refused: bool,
) -> None:
    house = await make_organization(superuser_url, "Of this example")
    spending = Spending(wide, keys, configure())
    amounts = [Decimal(cost).scaleb(-6) for cost in costs]
    limit = sum(amounts) - (amounts[-1] if refused else 0)
    await set_budget(wide, house.tenant, "day", limit)
    await set_budget(wide, house.tenant, "month", 2 * limit)

    async def one(amount: Decimal) -> bool:
        try:
            await spend(wide, spending, house, amount)
        except BudgetExceeded:
            return False
        return True

    fitted = await asyncio.gather(*map(one, amounts))
    spent = sum(a for a, fits in zip(amounts, fitted, strict=True) if fits)
    expected = {
        (period, t)
        for period, of in (("day", limit), ("month", 2 * limit))
        for t in (50, 80, 100)
        if spent >= of * t / 100 or (t == 100 and period == "day" and not all(fitted))
    }
    told = places(alerts(house))
    assert len(told) == len(set(told))
    assert set(told) == expected
