"""Money set aside for a call before it leaves, and given back or spent after it.

reserved (nothing has left) → sent (it may have left) → settled; reserved → released. A process that
dies leaves the rest to `sweep.settle_orphans`: what may have left is settled in full.
"""

import asyncio
import hashlib
import logging
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from tidings.ai.access import Access, Policy, secret_name
from tidings.ai.engine_name import EngineName
from tidings.base.errors import BudgetExceeded, DatabaseBusy, DatabaseUnavailable
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.tenancy.secret_keys import Sealed, SecretKeys

sql = load_queries("tidings.ai")
log = logging.getLogger(__name__)

GRACE = 60.0
"""Seconds beyond a call's timeout until nobody waits for its process any more."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call about to be made: `amount` is what it can cost at most, in USD."""

    id: UUID
    tenant: Tenant
    run_id: UUID | None
    operation: str
    engine: EngineName
    prompt_version: str
    amount: Decimal


class Refusal(msgspec.Struct, frozen=True):
    """The budget that a call does not fit into, and when it begins anew."""

    refused_by: str
    left_over: Decimal
    resets_at: datetime
    resets_in: float


class Spending:
    """The doors to budgets for calls."""

    def __init__(self, db: Database, keys: SecretKeys, settings: Settings) -> None:
        """`keys` open the organizations' own provider keys."""
        self._db = db
        self._keys = keys
        self._settings = settings
        self._lease = settings.ai_timeout + GRACE
        self._releasing: set[asyncio.Task[None]] = set()

    async def reserve(self, call: Call) -> Access:
        """Set the call's money aside, and what its organization allows now; one round trip.

        Raises `BudgetExceeded` with `retry_after` and `retry_at`; `AiForbidden` as `Access.check`.
        """
        tenant = call.tenant.as_service()
        secret = {"name": secret_name(call.engine.provider)}
        try:
            async with self._db.tenant_batch(tenant) as batch:
                policy = batch.add(sql.ai_policy, row=Policy)
                sealed = batch.add(sql.provider_secret, secret, row=Sealed)
                refused = batch.add(sql.reserve, self._reservation(call), row=Refusal)
        except (asyncio.CancelledError, DatabaseUnavailable):
            self.release_later(call)  # it may have been set aside all the same
            raise
        own = sealed.optional()
        stored = {} if own is None else {call.engine.provider: own}
        access = Access(call.tenant, policy.one(), stored, self._keys, self._settings)
        refusal = refused.optional()
        try:
            access.check(call.engine)
            access.key(call.engine)
        except Exception:
            if refusal is None:
                await self._try_release(call)
            raise
        if refusal is not None:
            raise _exceeded(refusal, call.amount)
        return access

    async def send(self, call: Call, destination: str, told: str, redacted: dict[str, int]) -> None:
        """Say that the call leaves now, and record what leaves; one round trip.

        Raises `DatabaseBusy` when the reservation has lapsed: then it must not leave.
        """
        encoded = told.encode()
        async with self._db.tenant_batch(call.tenant.as_service()) as batch:
            sent = batch.add(
                sql.send,
                {
                    "id": call.id,
                    "destination": destination,
                    "bytes": len(encoded),
                    "sha256": hashlib.sha256(encoded).hexdigest(),
                    "redacted": msgspec.json.encode(redacted).decode(),
                    "lease": self._lease,
                },
            )
        if not sent.value():
            raise DatabaseBusy(
                "The money set aside for this call was given back meanwhile; try again.",
                retry_after=1,
            )

    async def release(self, call: Call) -> None:
        """Give back what was set aside; for a call that never left."""
        async with self._db.tenant_batch(call.tenant.as_service(), repeatable=True) as batch:
            batch.queue(sql.release, {"id": call.id})

    def release_later(self, call: Call) -> None:
        """As `release`, where nothing may be awaited; what fails is left to the lease."""
        releasing = asyncio.create_task(self._try_release(call))
        self._releasing.add(releasing)
        releasing.add_done_callback(self._releasing.discard)

    async def close(self) -> None:
        """Wait for what is being given back."""
        await asyncio.gather(*self._releasing)

    def _reservation(self, call: Call) -> dict[str, object]:
        return {
            "id": call.id,
            "run_id": call.run_id,
            "operation": call.operation,
            "engine": str(call.engine),
            "prompt_version": call.prompt_version,
            "amount": call.amount,
            "lease": self._lease,
        }

    async def _try_release(self, call: Call) -> None:
        try:
            await self.release(call)
        except (DatabaseBusy, DatabaseUnavailable) as error:
            log.warning("The reservation %s is left to its lease: %s", call.id, error.message)


def _exceeded(refusal: Refusal, amount: Decimal) -> BudgetExceeded:
    return BudgetExceeded(
        f"The AI budget of this {refusal.refused_by} has {refusal.left_over:.6f} USD left and this "
        f"call may cost {amount:.6f}; it resets at {refusal.resets_at:%Y-%m-%d %H:%M} UTC, "
        "and an admin can raise it.",
        retry_after=max(1.0, refusal.resets_in),
        retry_at=refusal.resets_at,
    )
