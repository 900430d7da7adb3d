"""Reserving, sending and settling as the gateway does, for tests of budgets."""

from decimal import Decimal
from uuid import UUID

import psycopg

from tidings.ai.engine_name import EngineName
from tidings.ai.ledger import Ledger, TokenUse
from tidings.ai.spending import Call, Spending
from tidings.base import clock
from tidings.base.ids import uuid7
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.tenancy.secret_keys import load_secret_keys

sql = load_queries("tidings.ai")
KEY = "a" * 43 + "="
ENGINE = EngineName("openai", "gpt-4o-mini")


def a_call(tenant: Tenant, amount: str | Decimal) -> Call:
    return Call(
        id=uuid7(),
        tenant=tenant,
        run_id=None,
        operation="meetings.read_goals",
        engine=ENGINE,
        prompt_version="0123456789ab",
        amount=Decimal(amount),
    )


async def send(spending: Spending, call: Call) -> None:
    await spending.send(call, "127.0.0.1:1", "told", {})


async def settle(db: Database, call: Call, cost: Decimal) -> bool:
    async with db.tenant_batch(call.tenant.as_service()) as batch:
        settled = batch.add(sql.settle, {"id": call.id, "cost": cost})
    return bool(settled.value())


def expire_leases(superuser_url: str, only: UUID | None = None) -> None:
    with psycopg.connect(superuser_url) as connection:
        connection.execute(
            "UPDATE tidings.ai_reservations SET lease_until = tidings.now() - interval '1 second' "
            "WHERE state IN ('reserved', 'sent') AND (%(only)s::uuid IS NULL OR id = %(only)s)",
            {"only": only},
        )


def states(superuser_url: str) -> dict[str, tuple[str, Decimal | None]]:
    with psycopg.connect(superuser_url) as connection:
        rows = connection.execute("SELECT id, state, cost FROM tidings.ai_reservations").fetchall()
    return {str(row[0]): (row[1], row[2]) for row in rows}


async def spend(db: Database, tenant: Tenant, url: str, *costs: str) -> list[TokenUse]:
    """Calls as the gateway makes them, each reserved, sent, settled and recorded."""
    settings = Settings(database_url=url, openai_api_key="sk-none", secret_key=KEY, _env_file=None)
    spending, ledger = Spending(db, load_secret_keys(settings), settings), Ledger(db)
    uses = []
    for cost in costs:
        call = a_call(tenant, "0.5")
        await spending.reserve(call)
        await spending.send(call, "127.0.0.1:1", "told", {"email": 2})
        use = TokenUse(
            id=call.id,
            run_id=None,
            operation=call.operation,
            engine=str(ENGINE),
            provider=ENGINE.provider,
            model=ENGINE.model,
            prompt_version=call.prompt_version,
            prompt_tokens=10,
            completion_tokens=1,
            cached_tokens=0,
            estimated=False,
            cost=Decimal(cost),
            latency_ms=1,
            status="ok",
            error=None,
            created_at=clock.now(),
        )
        await ledger.record(tenant, use, settles=True)
        uses.append(use)
    return uses
