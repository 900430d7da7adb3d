"""Budgets, fallback, breakers, masking and the record of what left, through the gateway."""

import asyncio
import hashlib
from collections.abc import Callable
from decimal import Decimal

import psycopg
import pytest

from tidings.ai.access import read_policy, set_policy
from tidings.ai.breaker import FAILURES, OPEN_SECONDS
from tidings.ai.budget import list_budgets, set_budget
from tidings.ai.egress import list_egress
from tidings.ai.gateway import Gateway
from tidings.ai.ledger import list_usage
from tidings.ai.operation import Operation
from tidings.ai.testing import GARBAGE_ANSWER, NO_ANSWER, FakeProvider, says, status
from tidings.base.errors import (
    AiForbidden,
    BudgetExceeded,
    EngineUnknown,
    ProviderFailed,
    RoleForbidden,
)
from tidings.db.transaction import Database

from factories.organizations import Organization
from factories.spending import states

OPENAI = "openai:gpt-4o-mini"
CLAUDE = "anthropic:claude-haiku-5-5"
SOURCE = "We ship on Friday. Write to ada@northwind.example."

Reading = Operation[str, list[str]]


async def read(
    gateway: Gateway,
    organization: Organization,
    reading: Reading,
    engine: str = OPENAI,
    may_fall_back: bool = False,
) -> tuple[list[str], str]:
    completed = await gateway.complete(
        organization.tenant,
        reading,
        SOURCE,
        engine=engine,
        run_id=None,
        may_fall_back=may_fall_back,
    )
    return completed.answer, completed.engine


async def spent(db: Database, organization: Organization) -> tuple[Decimal, Decimal, Decimal]:
    day = (await list_budgets(db, organization.tenant))[0]
    uses = await list_usage(db, organization.tenant, after=None, limit=50)
    return day.settled, day.reserved, sum((use.cost for use in uses), Decimal(0))


# Budgets ------------------------------------------------------------------------------------------


async def test_every_try_is_reserved_paid_for_and_recorded(
    db: Database,
    gateway: Gateway,
    organization: Organization,
    reading: Reading,
    fake: FakeProvider,
    superuser_url: str,
) -> None:
    fake.script(GARBAGE_ANSWER, status(500))
    await read(gateway, organization, reading)
    settled, reserved, recorded = await spent(db, organization)
    assert (settled, reserved) == (recorded, 0)
    found = states(superuser_url)
    uses = await list_usage(db, organization.tenant, after=None, limit=50)
    assert {str(use.id): ("settled", use.cost) for use in uses} == found
    assert len(await list_egress(db, organization.tenant, before=None, limit=9)) == 3


async def test_a_call_that_does_not_fit_never_leaves(
    db: Database,
    gateway: Gateway,
    organization: Organization,
    reading: Reading,
    fake: FakeProvider,
) -> None:
    await set_budget(db, organization.tenant, "day", Decimal("0.000001"))
    with pytest.raises(BudgetExceeded) as told:
        await read(gateway, organization, reading)
    assert told.value.retry_after
    assert fake.asked == []
    assert await spent(db, organization) == (0, 0, 0)


async def test_a_repair_that_does_not_fit_any_more_is_refused(
    db: Database, gateway: Gateway, organization: Organization, reading: Reading, fake: FakeProvider
) -> None:
    fake.tokens = (1000, 8192, 0)
    await set_budget(db, organization.tenant, "day", Decimal("0.007"))
    fake.script(GARBAGE_ANSWER)
    with pytest.raises(BudgetExceeded):
        await read(gateway, organization, reading)
    assert len(fake.asked) == 1
    settled, reserved, recorded = await spent(db, organization)
    assert (settled, reserved) == (recorded, 0)
    assert 0 < settled <= Decimal("0.007")


async def test_what_nobody_told_is_paid_in_full(
    db: Database,
    open_gateway: Callable[..., Gateway],
    organization: Organization,
    reading: Reading,
    fake: FakeProvider,
    superuser_url: str,
) -> None:
    fake.script(NO_ANSWER)
    with pytest.raises(ProviderFailed):
        await read(open_gateway(ai_timeout=0.2, ai_tries=1), organization, reading)
    with psycopg.connect(superuser_url) as connection:
        row = connection.execute("SELECT amount, cost, state FROM tidings.ai_reservations")
        amount, cost, state = row.fetchone() or (0, 0, "")
    assert (cost, state) == (amount, "settled")
    assert await spent(db, organization) == (amount, 0, amount)


async def test_a_call_that_is_cancelled_is_settled_at_close(
    db: Database,
    open_gateway: Callable[..., Gateway],
    organization: Organization,
    reading: Reading,
    fake: FakeProvider,
) -> None:
    gateway = open_gateway()
    fake.gate.clear()
    reading_it = asyncio.create_task(read(gateway, organization, reading))
    await fake.wait_for(1)
    reading_it.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading_it
    fake.gate.set()
    await gateway.close()
    settled, reserved, recorded = await spent(db, organization)
    assert (settled, reserved) == (recorded, 0)
    assert settled > 0


async def test_what_fails_before_it_leaves_gives_its_money_back(
    db: Database,
    open_gateway: Callable[..., Gateway],
    organization: Organization,
    reading: Reading,
    fake: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway = open_gateway()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(gateway._means.providers, "conversation", broken)
    with pytest.raises(RuntimeError):
        await read(gateway, organization, reading)
    await gateway.close()
    assert await spent(db, organization) == (0, 0, 0)
    assert fake.asked == []


async def test_a_call_takes_three_round_trips(
    db: Database, gateway: Gateway, organization: Organization, reading: Reading
) -> None:
    await read(gateway, organization, reading)
    before = db.trips.total
    await read(gateway, organization, reading)
    assert db.trips.total - before == 3


async def test_placeholders_that_are_longer_than_their_values_are_paid_for(
    db: Database,
    gateway: Gateway,
    organization: Organization,
    reading: Reading,
    fake: FakeProvider,
    superuser_url: str,
) -> None:
    await set_policy(db, organization.tenant, redaction=True)
    source = "We ship. " + " ".join(f"{n:03}@b.cd" for n in range(999))
    await gateway.complete(organization.tenant, reading, source, engine=OPENAI, run_id=None)
    told = fake.asked[0]
    with psycopg.connect(superuser_url) as connection:
        found = connection.execute(
            "SELECT state, amount FROM tidings.ai_reservations ORDER BY id"
        ).fetchall()
    assert [state for state, _ in found] == ["released", "settled"]
    assert found[0][1] < found[1][1]
    longest = len(told.source) + len(told.instructions) + 1000
    assert found[1][1] >= Decimal(longest) * Decimal("0.15") / 1_000_000


# Fallback and breakers ----------------------------------------------------------------------------


async def test_another_engine_answers_and_says_so(
    open_gateway: Callable[..., Gateway],
    db: Database,
    organization: Organization,
    reading: Reading,
    fake: FakeProvider,
) -> None:
    gateway = open_gateway(ai_fallback=f'{{"*": ["openai:no-price", "{CLAUDE}", "local"]}}')
    fake.script(status(401))
    assert await read(gateway, organization, reading, may_fall_back=True) == (
        ["We ship on Friday"], CLAUDE,
    )  # fmt: skip
    fake.script(status(401))
    with pytest.raises(ProviderFailed):
        await read(gateway, organization, reading)  # never in silence
    await set_budget(db, organization.tenant, "day", Decimal(0))
    assert (await read(gateway, organization, reading, may_fall_back=True))[1] == "local"
    await set_policy(db, organization.tenant, ai_mode="off")
    with pytest.raises(AiForbidden):
        await read(gateway, organization, reading, may_fall_back=True)


async def test_when_no_engine_answers_it_is_the_first_that_says_why(
    open_gateway: Callable[..., Gateway],
    db: Database,
    organization: Organization,
    reading: Reading,
    fake: FakeProvider,
) -> None:
    gateway = open_gateway(ai_fallback=f'{{"*": ["{CLAUDE}", "openai:no-price"]}}', ai_tries=1)
    await set_budget(db, organization.tenant, "day", Decimal(0))
    with pytest.raises(BudgetExceeded) as told:
        await read(gateway, organization, reading, may_fall_back=True)
    assert told.value.retry_at is not None
    assert fake.asked == []


async def test_a_fallback_that_is_not_allowed_is_passed_over(
    open_gateway: Callable[..., Gateway],
    db: Database,
    organization: Organization,
    reading: Reading,
    fake: FakeProvider,
) -> None:
    gateway = open_gateway(ai_fallback=f'{{"*": ["{CLAUDE}", "local"]}}', ai_tries=1)
    fake.script(status(500))
    fake.gate.clear()
    reading_it = asyncio.create_task(read(gateway, organization, reading, may_fall_back=True))
    await fake.wait_for(1)
    await set_policy(db, organization.tenant, ai_mode="local")
    fake.gate.set()
    assert (await reading_it)[1] == "local"


async def test_a_provider_that_keeps_failing_is_left_alone_at_no_cost(
    open_gateway: Callable[..., Gateway],
    db: Database,
    organization: Organization,
    reading: Reading,
    fake: FakeProvider,
) -> None:
    gateway = open_gateway(ai_tries=1)
    fake.script(*[status(500)] * FAILURES)
    for _ in range(FAILURES):
        with pytest.raises(ProviderFailed):
            await read(gateway, organization, reading)
    before = db.trips.total
    with pytest.raises(ProviderFailed, match="left alone") as told:
        await read(gateway, organization, reading)
    assert told.value.retry_after
    assert (len(fake.asked), db.trips.total) == (FAILURES, before)
    await read(gateway, organization, reading, CLAUDE)


# What leaves --------------------------------------------------------------------------------------


async def test_what_left_is_listed_with_its_hash_and_never_its_text(
    db: Database,
    gateway: Gateway,
    organization: Organization,
    other_organization: Organization,
    reading: Reading,
    fake: FakeProvider,
) -> None:
    await read(gateway, organization, reading)
    await read(gateway, organization, reading, CLAUDE)
    claude, openai = await list_egress(db, organization.tenant, before=None, limit=9)
    assert (openai.engine, claude.engine) == (OPENAI, CLAUDE)
    assert openai.destination == fake.base_url.split("/")[2]
    assert openai.operation == "meetings.read_goals"
    assert openai.redacted == {}
    assert openai.bytes > len(SOURCE)
    assert openai.sha256 != claude.sha256
    assert await list_egress(db, organization.tenant, before=claude.id, limit=9) == [openai]
    assert await list_egress(db, other_organization.tenant, before=None, limit=9) == []


async def test_masked_values_do_not_leave_and_come_back_in_what_is_quoted(
    db: Database, gateway: Gateway, organization: Organization, reading: Reading, fake: FakeProvider
) -> None:
    await set_policy(db, organization.tenant, redaction=True)
    masked = "Write to [EMAIL_1]"
    fake.script(
        says({"goals": [{"text": "Ask bob@northwind.example"}]}),  # made up: not accepted
        says({"goals": [{"text": masked}]}),
    )
    answer, _ = await read(gateway, organization, reading)
    assert answer == ["Write to ada@northwind.example"]
    assert len(fake.asked) == 2
    for asked in fake.asked:
        assert "ada@northwind.example" not in str(asked.body)
        assert "[EMAIL_1]" in asked.source
    assert "is not in the source" in str(fake.asked[1].body)
    again, first = await list_egress(db, organization.tenant, before=None, limit=9)
    assert (first.redacted, again.redacted) == ({"email": 1}, {"email": 2})
    assert first.sha256 != hashlib.sha256(SOURCE.encode()).hexdigest()


async def test_admins_change_what_ai_may_do_and_nobody_else(
    db: Database, organization: Organization
) -> None:
    changed = await set_policy(db, organization.tenant, ai_mode="local", engine=OPENAI)
    assert (changed.ai_mode, changed.engine, changed.redaction) == ("local", OPENAI, False)
    changed = await set_policy(db, organization.acting("admin"), redaction=True)
    assert (changed.ai_mode, changed.engine, changed.redaction) == ("local", OPENAI, True)
    assert (await set_policy(db, organization.tenant, engine=None)).engine is None
    with pytest.raises(EngineUnknown):
        await set_policy(db, organization.tenant, engine="nobody:x")
    for role in ("member", "viewer", "service"):
        with pytest.raises(RoleForbidden):
            await set_policy(db, organization.acting(role), ai_mode="off")
    assert (await read_policy(db, organization.acting("viewer"))).ai_mode == "local"


async def test_of_many_at_once_a_half_open_breaker_lets_exactly_one_ask(
    gateway: Gateway, organization: Organization, reading: Reading, fake: FakeProvider
) -> None:
    fake.script(*[status(500)] * FAILURES)
    for _ in range(2):
        with pytest.raises(ProviderFailed):
            await read(gateway, organization, reading)
    breaker = gateway.breakers.of("openai")
    assert (breaker.state, len(fake.asked)) == ("open", FAILURES)
    assert breaker._opened_at is not None
    breaker._opened_at -= OPEN_SECONDS
    fake.gate.clear()
    calls = [asyncio.create_task(read(gateway, organization, reading)) for _ in range(6)]
    await fake.wait_for(FAILURES + 1)
    ended = asyncio.as_completed(calls)
    for _ in range(5):
        with pytest.raises(ProviderFailed, match="left alone"):
            await next(ended)
    fake.gate.set()
    assert (await next(ended))[1] == OPENAI
    assert (breaker.state, len(fake.asked)) == ("closed", FAILURES + 1)
