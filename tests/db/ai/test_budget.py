"""Budgets: exact under concurrency, settled in full where a call may have left."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidings.ai.budget import Budget, list_budgets, set_budget
from tidings.ai.egress import list_egress
from tidings.ai.ledger import list_usage
from tidings.ai.spending import Call, Spending
from tidings.ai.sweep import RESERVATION_AGE, settle_orphans, sweep_ai
from tidings.base import clock
from tidings.base.errors import (
    AiForbidden,
    BudgetExceeded,
    DatabaseBusy,
    DatabaseUnavailable,
    InputInvalid,
    RoleForbidden,
    SourceUnconfigured,
)
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.db.pools import primary_pool
from tidings.db.queries import Query, load_queries
from tidings.db.transaction import Batch, Database
from tidings.queue.claim import claim_jobs
from tidings.queue.enqueue import NewJob, enqueue
from tidings.queue.finish import block_job
from tidings.tenancy.secret_keys import SecretKeys

from factories.organizations import Organization, make_organization
from factories.spending import a_call, expire_leases, send, settle, spend, states

Configure = Callable[..., Settings]
sql = load_queries("tidings.ai")


@pytest.fixture
def spending(db: Database, keys: SecretKeys, configure: Configure) -> Spending:
    return Spending(db, keys, configure())


async def day(db: Database, organization: Organization) -> Budget:
    return (await list_budgets(db, organization.tenant))[0]


async def fits(spending: Spending, call: Call) -> bool:
    try:
        await spending.reserve(call)
    except BudgetExceeded:
        return False
    return True


# The rules, one by one ----------------------------------------------------------------------------


async def test_reaching_a_budget_exactly_is_allowed_and_passing_it_is_not(
    db: Database, spending: Spending, organization: Organization
) -> None:
    await set_budget(db, organization.tenant, "day", Decimal(1))
    assert await fits(spending, a_call(organization.tenant, "0.6"))
    assert not await fits(spending, a_call(organization.tenant, "0.400001"))
    assert await fits(spending, a_call(organization.tenant, "0.4"))
    assert not await fits(spending, a_call(organization.tenant, "0.000001"))
    assert await fits(spending, a_call(organization.tenant, "0"))
    assert (await day(db, organization)).reserved == 1


async def test_a_refusal_says_which_budget_and_when_it_resets(
    db: Database, spending: Spending, organization: Organization
) -> None:
    await set_budget(db, organization.tenant, "day", Decimal(5))
    await set_budget(db, organization.tenant, "month", Decimal("0.5"))
    with pytest.raises(
        BudgetExceeded, match=r"budget of this month has 0\.500000 USD left"
    ) as told:
        await spending.reserve(a_call(organization.tenant, "0.75"))
    month = (await list_budgets(db, organization.tenant))[1]
    assert f"{month.resets_at:%Y-%m-%d %H:%M} UTC" in told.value.message
    assert told.value.retry_after is not None
    assert 0 < told.value.retry_after <= 31 * 86_400
    assert told.value.retry_at == month.resets_at
    assert month.reserved == 0


async def test_without_a_budget_everything_fits_and_is_counted(
    db: Database, spending: Spending, organization: Organization
) -> None:
    assert await fits(spending, a_call(organization.tenant, "1000"))
    found = await day(db, organization)
    assert (found.amount, found.reserved) == (None, 1000)


async def test_a_call_is_settled_once_and_only_when_it_was_sent(
    db: Database, spending: Spending, organization: Organization
) -> None:
    call = a_call(organization.tenant, "1")
    await spending.reserve(call)
    assert not await settle(db, call, Decimal("0.25"))
    await send(spending, call)
    await spending.release(call)  # too late: it may have left
    assert await settle(db, call, Decimal("0.25"))
    assert not await settle(db, call, Decimal("0.75"))
    found = await day(db, organization)
    assert (found.settled, found.reserved) == (Decimal("0.25"), 0)


async def test_what_was_released_may_not_leave(
    db: Database, spending: Spending, organization: Organization
) -> None:
    call = a_call(organization.tenant, "1")
    await spending.reserve(call)
    await spending.release(call)
    with pytest.raises(DatabaseBusy, match="given back"):
        await send(spending, call)
    assert await list_egress(db, organization.tenant, before=None, limit=10) == []


@pytest.mark.parametrize("ai_mode", ["off", "local"])
async def test_what_the_policy_refuses_holds_no_money(
    db: Database,
    spending: Spending,
    organization: Organization,
    set_policy: Callable[..., None],
    ai_mode: str,
) -> None:
    set_policy(organization, ai_mode)
    with pytest.raises(AiForbidden):
        await spending.reserve(a_call(organization.tenant, "1"))
    assert (await day(db, organization)).reserved == 0


async def test_a_missing_key_holds_no_money(
    db: Database, keys: SecretKeys, configure: Configure, organization: Organization
) -> None:
    without = configure(openai_api_key=None, openai_base_url=None)
    with pytest.raises(SourceUnconfigured):
        await Spending(db, keys, without).reserve(a_call(organization.tenant, "1"))
    assert (await day(db, organization)).reserved == 0


async def test_people_do_not_spend(
    db: Database, organization: Organization, database_url: str
) -> None:
    statements = [
        "SELECT tidings.settle_ai_v1(gen_random_uuid(), 1)",
        "SELECT tidings.release_ai_v1(gen_random_uuid())",
        "SELECT tidings.send_ai_v1(gen_random_uuid(), 'x', 1, 'x', '{}', '1 s')",
        "SELECT tidings.reserve_ai_v1(gen_random_uuid(), NULL, 'a.b', 'openai:x', 'x', 1, '1 s')",
    ]
    tenant = organization.tenant
    for statement in statements:
        with psycopg.connect(database_url) as connection:
            connection.execute(
                "SELECT set_config('tidings.organization_id', %s, true), "
                "set_config('tidings.role', 'owner', true)",
                [str(tenant.organization_id)],
            )
            with pytest.raises(psycopg.Error, match="services alone"):
                connection.execute(statement)


async def test_admins_set_and_remove_budgets_and_nobody_else(
    db: Database, organization: Organization, other_organization: Organization
) -> None:
    await set_budget(db, organization.acting("admin"), "month", Decimal("12.5"))
    changed = await set_budget(db, organization.tenant, "month", Decimal(20))
    assert [budget.amount for budget in changed] == [None, 20]
    for role in ("member", "viewer", "service"):
        for amount in (Decimal(1), None):
            with pytest.raises(RoleForbidden):
                await set_budget(db, organization.acting(role), "month", amount)
    assert (await list_budgets(db, other_organization.tenant))[1].amount is None
    assert (await list_budgets(db, organization.acting("viewer")))[1].amount == 20
    removed = await set_budget(db, organization.tenant, "month", None)
    assert [budget.amount for budget in removed] == [None, None]


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity", "1e9", "0.0000001", "1e40"])
async def test_amounts_that_cannot_be_kept_are_refused(
    db: Database, organization: Organization, amount: str
) -> None:
    with pytest.raises(InputInvalid, match="6 places"):
        await set_budget(db, organization.tenant, "day", Decimal(amount))


async def test_a_day_is_one_of_the_organizations_time_zone(
    db: Database, spending: Spending, organization: Organization, superuser_url: str
) -> None:
    with psycopg.connect(superuser_url) as connection:
        connection.execute("UPDATE tidings.organizations SET time_zone = 'Asia/Kathmandu'")
    await spending.reserve(a_call(organization.tenant, "1"))
    found = await day(db, organization)
    assert found.reserved == 1
    assert (found.resets_at.hour, found.resets_at.minute) == (18, 15)  # UTC+05:45


async def test_a_change_of_the_time_zone_forgets_nothing_that_was_spent(
    db: Database, spending: Spending, organization: Organization, superuser_url: str
) -> None:
    for period in ("day", "month"):
        await set_budget(db, organization.tenant, period, Decimal(1))
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu", "UTC"):
        call = a_call(organization.tenant, "0.25")
        assert await fits(spending, call)
        await send(spending, call)
        assert await settle(db, call, Decimal("0.25"))
        with psycopg.connect(superuser_url) as connection:
            connection.execute("UPDATE tidings.organizations SET time_zone = %s", [zone])
    assert not await fits(spending, a_call(organization.tenant, "0.000001"))
    assert [b.settled for b in await list_budgets(db, organization.tenant)] == [1, 1]


async def test_an_operation_that_the_ledger_would_refuse_never_leaves(
    db: Database, spending: Spending, organization: Organization
) -> None:
    call = msgspec.structs.replace(a_call(organization.tenant, "1"), operation="no verb")
    with pytest.raises(psycopg.errors.CheckViolation):
        await spending.reserve(call)
    assert (await day(db, organization)).reserved == 0


async def test_a_call_counts_on_the_day_that_its_money_was_set_aside(
    db: Database, organization: Organization, database_url: str, superuser_url: str
) -> None:
    clock.shift(timedelta(days=1))
    try:
        (use,) = await spend(db, organization.tenant, database_url, "0.25")
    finally:
        clock.shift(timedelta(0))
    (recorded,) = await list_usage(db, organization.tenant, after=None, limit=9)
    assert use.created_at - recorded.created_at > timedelta(hours=23)


# Crashes ------------------------------------------------------------------------------------------


async def test_an_orphan_that_may_have_left_is_settled_in_full_and_the_others_released(
    db: Database, spending: Spending, organization: Organization, superuser_url: str
) -> None:
    kept, left = a_call(organization.tenant, "0.5"), a_call(organization.tenant, "0.25")
    for call in (kept, left):
        await spending.reserve(call)
    await send(spending, left)
    assert await settle_orphans(db) == 0  # its process may still live
    expire_leases(superuser_url)
    assert await settle_orphans(db) == 2
    assert states(superuser_url) == {
        str(kept.id): ("released", None),
        str(left.id): ("settled", Decimal("0.25")),
    }
    found = await day(db, organization)
    assert (found.settled, found.reserved) == (Decimal("0.25"), 0)
    (use,) = await list_usage(db, organization.tenant, after=None, limit=10)
    assert (use.id, use.cost, use.status) == (left.id, Decimal("0.25"), "error")
    assert not await settle(db, left, Decimal("0.1"))  # too late


async def test_the_sweep_forgets_what_is_past_its_age(
    db: Database, spending: Spending, organization: Organization, superuser_url: str
) -> None:
    done, open_one = a_call(organization.tenant, "1"), a_call(organization.tenant, "1")
    for call in (done, open_one):
        await spending.reserve(call)
    await spending.release(done)
    assert await sweep_ai(db) == 0
    with psycopg.connect(superuser_url) as connection:
        connection.execute(
            "UPDATE tidings.ai_reservations SET created_at = created_at - %s - interval '1 s'",
            [RESERVATION_AGE],
        )
    assert await sweep_ai(db) == 1
    assert list(states(superuser_url)) == [str(open_one.id)]


async def test_of_a_calls_commits_the_one_before_it_leaves_waits_for_the_disk(
    db: Database, spending: Spending, organization: Organization
) -> None:
    call = a_call(organization.tenant, "1")
    await spending.reserve(call)
    durable = Query("durable", "Sets.", "SELECT set_config('synchronous_commit', 'on', true)")
    shown = Query("shown", "Shows.", "SELECT current_setting('synchronous_commit')")
    left = {"destination": "x", "bytes": 1, "sha256": "0" * 64, "redacted": "{}", "lease": 60}
    waits = []
    for query, params in ((sql.send, left), (sql.settle, {"cost": Decimal(0)})):
        async with db.tenant_transaction(organization.tenant.as_service()) as transaction:
            await transaction.execute(durable)
            assert await transaction.value(query, {"id": call.id, **params})
            waits.append(await transaction.value(shown))
    assert waits == ["on", "off"]


@pytest.mark.parametrize("error", [asyncio.CancelledError(), DatabaseUnavailable()])
async def test_a_reservation_whose_outcome_is_not_known_is_given_back(
    db: Database,
    spending: Spending,
    organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    opening = db.tenant_batch

    @asynccontextmanager
    async def breaks_after(tenant: Tenant, **options: bool) -> AsyncIterator[Batch]:
        async with opening(tenant, **options) as batch:
            yield batch
        monkeypatch.undo()
        raise error

    monkeypatch.setattr(db, "tenant_batch", breaks_after)
    with pytest.raises(type(error)):
        await spending.reserve(a_call(organization.tenant, "1"))
    await spending.close()
    assert (await day(db, organization)).reserved == 0


OVERDUE = """SELECT organization_id FROM tidings.ai_reservations
WHERE state IN ('reserved', 'sent') AND lease_until <= now() ORDER BY lease_until LIMIT 1"""
ENDED = """SELECT id FROM tidings.ai_reservations WHERE state IN ('settled', 'released')
AND created_at <= now() - interval '7 days' ORDER BY created_at LIMIT 1000"""


@pytest.mark.new_database
@pytest.mark.parametrize(
    ("statement", "index"),
    [(OVERDUE, "ai_reservations_leased"), (ENDED, "ai_reservations_ended")],
)
def test_the_sweeps_find_their_rows_by_index(
    superuser_url: str, organization: Organization, statement: str, index: str
) -> None:
    with psycopg.connect(superuser_url) as connection:
        connection.execute(
            "INSERT INTO tidings.ai_reservations (organization_id, id, operation, engine, "
            "prompt_version, day_start, month_start, amount, cost, state, lease_until) "
            "SELECT %s, gen_random_uuid(), 'a.b', 'openai:x', '0123456789ab', now(), now(), 1, 1, "
            "'settled', now() FROM generate_series(1, 5000)",
            [organization.organization_id],
        )
        connection.execute("ANALYZE tidings.ai_reservations")
        plan = str(connection.execute(f"EXPLAIN {statement}").fetchall())
    assert index in plan
    assert "Seq Scan" not in plan


# Properties ---------------------------------------------------------------------------------------


@dataclass
class Oracle:
    """A budget as plain arithmetic."""

    limit: Decimal | None = None
    settled: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)

    def fits(self, amount: Decimal) -> bool:
        return self.limit is None or self.settled + self.reserved + amount <= self.limit


MONEY = st.integers(0, 2_000_000).map(lambda micros: Decimal(micros).scaleb(-6))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("limit"), st.one_of(st.none(), MONEY)),
        st.tuples(st.just("reserve"), MONEY),
        st.tuples(st.sampled_from(["send", "release", "orphan"]), st.integers(0, 7)),
        st.tuples(st.just("settle"), st.tuples(st.integers(0, 7), st.integers(0, 100))),
    ),
    max_size=25,
)


class Ledgers:
    """The database and the oracle, side by side."""

    def __init__(self, db: Database, spending: Spending, organization: Organization, url: str):
        self.db, self.spending, self.organization, self.url = db, spending, organization, url
        self.oracle = Oracle()
        self.open: list[tuple[Call, bool]] = []

    async def take(self, step: tuple[str, Any]) -> None:
        await getattr(self, f"do_{step[0]}")(step[1])
        found = await day(self.db, self.organization)
        oracle = self.oracle
        assert (found.amount, found.settled, found.reserved) == (
            oracle.limit, oracle.settled, oracle.reserved,
        )  # fmt: skip

    async def do_limit(self, amount: Decimal | None) -> None:
        await set_budget(self.db, self.organization.tenant, "day", amount)
        self.oracle.limit = amount

    async def do_reserve(self, amount: Decimal) -> None:
        call = a_call(self.organization.tenant, amount)
        expected = self.oracle.fits(amount)
        assert await fits(self.spending, call) == expected
        if expected:
            self.oracle.reserved += amount
            self.open.append((call, False))

    def pick(self, place: int) -> tuple[Call, bool] | None:
        return self.open.pop(place % len(self.open)) if self.open else None

    async def do_send(self, place: int) -> None:
        picked = self.pick(place)
        if picked is not None:
            if not picked[1]:
                await send(self.spending, picked[0])
            self.open.append((picked[0], True))

    async def do_release(self, place: int) -> None:
        picked = self.pick(place)
        if picked is None:
            return
        await self.spending.release(picked[0])
        if picked[1]:
            self.open.append(picked)
        else:
            self.oracle.reserved -= picked[0].amount

    async def do_settle(self, what: tuple[int, int]) -> None:
        picked = self.pick(what[0])
        if picked is None:
            return
        call, was_sent = picked
        cost = (call.amount * what[1] / 100).quantize(Decimal("0.000001"))
        assert await settle(self.db, call, cost) == was_sent
        if not was_sent:
            self.open.append(picked)
            return
        self.oracle.reserved -= call.amount
        self.oracle.settled += cost

    async def do_orphan(self, _: int) -> None:
        expire_leases(self.url)
        assert await settle_orphans(self.db) == len(self.open)
        for call, was_sent in self.open:
            self.oracle.reserved -= call.amount
            self.oracle.settled += call.amount if was_sent else 0
        self.open.clear()


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
async def test_any_history_agrees_with_plain_arithmetic(
    db: Database, spending: Spending, superuser_url: str, steps: list[tuple[str, Any]]
) -> None:
    mine = await make_organization(superuser_url, "Of this example")
    ledgers = Ledgers(db, spending, mine, superuser_url)
    for step in steps:
        await ledgers.take(step)
    expire_leases(superuser_url)
    await settle_orphans(db)


@pytest.fixture
async def wide(configure: Configure, database_url: str) -> AsyncIterator[Database]:
    """Doors for 64 at once, each on a connection of its own, however long those take."""
    wide = configure(pool_primary_max=64, pool_timeout=60)
    database = Database(primary_pool(wide, database_url))
    await database.open()
    yield database
    await database.close()


async def test_64_at_once_never_pass_a_budget_and_none_is_refused_that_fits(
    wide: Database, keys: SecretKeys, configure: Configure, organization: Organization
) -> None:
    spending = Spending(wide, keys, configure())
    limit, amount, fitting = Decimal(1), Decimal("0.01"), 100
    await set_budget(wide, organization.tenant, "day", limit)
    await set_budget(wide, organization.tenant, "month", Decimal(1000))
    calls = [a_call(organization.tenant, amount) for _ in range(fitting + 60)]
    slots = asyncio.Semaphore(64)

    async def one(call: Call) -> bool:
        async with slots:
            return await fits(spending, call)

    took = await asyncio.gather(*map(one, calls))
    assert sum(took) == fitting
    found = await day(wide, organization)
    assert (found.settled, found.reserved) == (0, limit)


async def test_64_at_once_begin_a_day_in_a_month_that_has_begun(
    wide: Database,
    keys: SecretKeys,
    configure: Configure,
    organization: Organization,
    superuser_url: str,
) -> None:
    spending = Spending(wide, keys, configure())
    for _ in range(5):
        await spending.reserve(a_call(organization.tenant, "0"))
        with psycopg.connect(superuser_url) as connection:
            connection.execute("DELETE FROM tidings.ai_spending WHERE period = 'day'")
        calls = [a_call(organization.tenant, "0") for _ in range(64)]
        assert all(await asyncio.gather(*(fits(spending, call) for call in calls)))


async def test_64_that_reserve_send_and_settle_spend_exactly_what_they_say(
    wide: Database,
    keys: SecretKeys,
    configure: Configure,
    organization: Organization,
    superuser_url: str,
) -> None:
    spending = Spending(wide, keys, configure())
    limit = Decimal(2)
    await set_budget(wide, organization.tenant, "day", limit)
    chance = random.Random(20_260_304)
    spent: list[Decimal] = []
    most_seen: list[Decimal] = []

    async def caller() -> None:
        for _ in range(6):
            call = a_call(organization.tenant, Decimal(chance.randint(1, 60_000)).scaleb(-6))
            if not await fits(spending, call):
                continue
            found = await day(wide, organization)
            most_seen.append(found.settled + found.reserved)
            if chance.random() < 0.2:
                await spending.release(call)
                continue
            await send(spending, call)
            cost = (call.amount * chance.randint(0, 100) / 100).quantize(Decimal("0.000001"))
            assert await settle(wide, call, cost)
            spent.append(cost)

    await asyncio.gather(*(caller() for _ in range(64)))
    found = await day(wide, organization)
    assert (found.settled, found.reserved) == (sum(spent), 0)
    assert max(most_seen) <= limit
    assert {state for state, _ in states(superuser_url).values()} <= {"settled", "released"}


async def test_the_sweep_and_late_settlements_do_not_lock_each_other_up(
    wide: Database,
    keys: SecretKeys,
    configure: Configure,
    organization: Organization,
    superuser_url: str,
) -> None:
    spending = Spending(wide, keys, configure())
    calls = [a_call(organization.tenant, "0.01") for _ in range(64)]
    for call in calls:
        await spending.reserve(call)
        await send(spending, call)
    expire_leases(superuser_url)
    settled = asyncio.gather(*(settle(wide, call, Decimal(0)) for call in calls))
    swept = asyncio.gather(*(settle_orphans(wide, batch=3) for _ in range(4)))
    by_callers, by_sweeps = sum(await settled), sum(await swept)
    by_sweeps += await settle_orphans(wide)
    assert by_callers + by_sweeps == 64
    found = await day(wide, organization)
    assert (found.settled, found.reserved) == (by_sweeps * Decimal("0.01"), 0)


FATES = st.sampled_from(["settle", "release", "lose", "crash before send", "crash after send"])
PLANS = st.lists(
    st.lists(st.tuples(st.integers(1, 40_000), FATES, st.integers(0, 100)), max_size=3),
    min_size=64,
    max_size=64,
)


class Crowd:
    """64 callers of one budget, some of which die, and a sweep that ends what they left."""

    def __init__(self, wide: Database, spending: Spending, house: Organization, url: str):
        self.wide, self.spending, self.house, self.url = wide, spending, house, url
        self.settled = Decimal(0)
        self.crashed: list[tuple[Call, bool]] = []
        self.most_seen = Decimal(0)

    async def call(self, amount: Decimal, fate: str, share: int) -> None:
        call = a_call(self.house.tenant, amount)
        try:
            await self.spending.reserve(call)
        except BudgetExceeded as refusal:
            left = Decimal(str(refusal).split(" has ")[1].split(" USD")[0])
            assert amount > left  # judged under the lock: what fits is never refused
            return
        found = await day(self.wide, self.house)
        self.most_seen = max(self.most_seen, found.settled + found.reserved)
        if fate == "release":
            await self.spending.release(call)
            return
        if fate == "crash before send":
            self.crash(call, was_sent=False)
            return
        await send(self.spending, call)
        if fate == "crash after send":
            self.crash(call, was_sent=True)
            return
        cost = (amount * share / 100).quantize(Decimal("0.000001"))
        if fate == "lose":
            expire_leases(self.url, call.id)
        if await settle(self.wide, call, cost):
            self.settled += cost
        else:
            self.settled += amount  # the sweep was first, and nobody knows the cost

    def crash(self, call: Call, *, was_sent: bool) -> None:
        expire_leases(self.url, call.id)
        self.crashed.append((call, was_sent))
        self.settled += call.amount if was_sent else 0

    async def sweep(self) -> None:
        while True:
            await settle_orphans(self.wide, batch=2)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans=PLANS)
async def test_64_of_which_some_crash_pass_no_budget_and_lose_none_of_it(
    wide: Database, keys: SecretKeys, configure: Configure, superuser_url: str, plans: list[Any]
) -> None:
    house = await make_organization(superuser_url, "Of this example")
    crowd = Crowd(wide, Spending(wide, keys, configure()), house, superuser_url)
    limit = Decimal("0.5")
    await set_budget(wide, house.tenant, "day", limit)

    async def caller(plan: list[tuple[int, str, int]]) -> None:
        for micros, fate, share in plan:
            await crowd.call(Decimal(micros).scaleb(-6), fate, share)

    sweeping = asyncio.create_task(crowd.sweep())
    try:
        await asyncio.gather(*map(caller, plans))
    finally:
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)
    await settle_orphans(wide)
    found = await day(wide, house)
    assert (found.settled, found.reserved) == (crowd.settled, 0)
    assert crowd.most_seen <= limit
    ended = states(superuser_url)
    for call, was_sent in crowd.crashed:
        assert ended[str(call.id)] == (("settled", call.amount) if was_sent else ("released", None))
    assert await fits(crowd.spending, a_call(house.tenant, limit - found.settled))
    assert not await fits(crowd.spending, a_call(house.tenant, "0.000001"))
    expire_leases(superuser_url)
    await settle_orphans(wide)


async def test_a_changed_limit_lets_blocked_jobs_try_again(db, organization):
    async with db.tenant_batch(organization.tenant) as batch:
        job_id = enqueue(batch, NewJob(kind="work"))
    (job,) = await claim_jobs(db, ["work"], 1, lease=15, worker="w1")
    await block_job(db, job, "The budget of the day is used up.", delay=3600)
    assert await claim_jobs(db, ["work"], 1, lease=15, worker="w1") == []
    await set_budget(db, organization.tenant, "day", Decimal(100))
    (again,) = await claim_jobs(db, ["work"], 1, lease=15, worker="w1")
    assert (again.id, again.attempt) == (job_id, 1)
