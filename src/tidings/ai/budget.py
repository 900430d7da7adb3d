"""What an organization may spend on AI in a day and in a month, and what it has spent."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from tidings.base.errors import InputInvalid, RoleForbidden
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.queue.jobs import unblock_jobs
from tidings.tenancy.audit import ActorKind, record

sql = load_queries("tidings.ai")

Period = Literal["day", "month"]

MOST = Decimal("99999999.999999")
_PLACES = Decimal("0.000001")


class Budget(msgspec.Struct, frozen=True):
    """One period, now: `amount` is None without a limit; all in USD.

    Calls under way hold in `reserved` what they can cost at most.
    """

    period: Period
    amount: Decimal | None
    settled: Decimal
    reserved: Decimal
    resets_at: datetime


async def list_budgets(db: Database, tenant: Tenant) -> list[Budget]:
    """Day, then month, with a limit or without."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.list_budgets, row=Budget)
    return found.rows


async def set_budget(
    db: Database,
    tenant: Tenant,
    period: Period,
    amount: Decimal | None,
    *,
    kind: ActorKind = "person",
) -> list[Budget]:
    """Set, change or (None) remove a limit; it holds from the next call on.

    Jobs that a budget blocks are tried again at once.

    Raises `InputInvalid`, and `RoleForbidden` for who is no admin.
    """
    if not tenant.is_admin:
        raise RoleForbidden("Only an admin or owner may change what AI may cost.")
    async with db.tenant_transaction(tenant) as transaction:
        if amount is None:
            await transaction.execute(sql.delete_budget, {"period": period})
        else:
            given = {"period": period, "amount": _checked(amount)}
            await transaction.execute(sql.set_budget, given)
        told = None if amount is None else str(amount)
        unblock_jobs(transaction)
        record(transaction, "ai.budget.change", f"budget:{period}", {"amount": told}, kind=kind)
        return await transaction.fetch(sql.list_budgets, row=Budget)


def _checked(amount: Decimal) -> Decimal:
    if amount.is_finite() and 0 <= amount <= MOST and amount == amount.quantize(_PLACES):
        return amount
    raise InputInvalid.of("amount", f"must be between 0 and {MOST} USD, with at most 6 places")
