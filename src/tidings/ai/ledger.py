"""The usage ledger: one row for each call to a provider, failed ones too.

The local engine has no rows: nothing leaves, nothing is paid, and a run of 500 meetings would write
500 rows that say nothing. A paid answer is never lost because its row could not be written: the row
waits in the process and goes along with a later one, or with `flush()` at shutdown.
"""

import logging
from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal
from itertools import count, groupby
from typing import Literal
from uuid import UUID

import msgspec

from tidings.base.errors import DatabaseBusy, DatabaseUnavailable
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database

sql = load_queries("tidings.ai")
log = logging.getLogger(__name__)

MOST_WAITING = 10_000

CallStatus = Literal["ok", "error", "invalid"]


class TokenUse(msgspec.Struct, frozen=True, kw_only=True):
    """One call. `cost` is in USD with 6 places; `prompt_tokens` include the cached ones;
    `estimated` says that the provider told no usage and the tokens are counted from the text."""

    id: UUID
    run_id: UUID | None
    operation: str
    engine: str
    provider: str
    model: str
    prompt_version: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    estimated: bool
    cost: Decimal
    latency_ms: int
    status: CallStatus
    error: str | None
    created_at: datetime


class _Waiting:
    """A row that is not written yet; `is_leaving` while somebody writes it."""

    __slots__ = ("is_leaving", "settles", "tenant", "use")

    def __init__(self, tenant: Tenant, use: TokenUse, *, settles: bool) -> None:
        self.tenant = tenant
        self.use = use
        self.settles = settles
        self.is_leaving = False


class Ledger:
    """Appends rows to `token_usage`, each with the settlement of its call, in one transaction."""

    def __init__(self, db: Database) -> None:
        """`db` is only used by `record` and `flush`."""
        self._db = db
        self._waiting: dict[int, _Waiting] = {}
        self._numbers = count()
        self.calls: Counter[tuple[str, CallStatus]] = Counter()
        """Of this process, by engine and status, for the metrics; `cost` in USD by engine."""
        self.cost: dict[str, Decimal] = defaultdict(Decimal)

    @property
    def waiting(self) -> int:
        """Rows that could not be written yet."""
        return len(self._waiting)

    async def record(self, tenant: Tenant, use: TokenUse, *, settles: bool = False) -> None:
        """Write a row, and those that wait; a failure is logged and the row waits, never raised.

        `settles`: its reservation has the row's id, and ends with the row's cost.
        """
        self.defer(tenant, use, settles=settles)
        await self.flush()

    def defer(self, tenant: Tenant, use: TokenUse, *, settles: bool = False) -> None:
        """Keep a row for the next `record` or `flush`; for where nothing may be awaited."""
        self.calls[use.engine, use.status] += 1
        self.cost[use.engine] += use.cost
        if len(self._waiting) >= MOST_WAITING:
            lost = self._waiting.pop(next(iter(self._waiting)))
            log.error("A row of the usage ledger is lost: %s", _json(lost.use))
        number = next(self._numbers)
        self._waiting[number] = _Waiting(tenant.as_service(), use, settles=settles)

    async def flush(self) -> None:
        """Write all rows that wait, one round trip for each organization; never raises.

        A row leaves what waits only once it is written or refused, so that a cancelled writer
        loses none; what another task is writing is left to it.
        """
        mine = [(n, row) for n, row in self._waiting.items() if not row.is_leaving]
        for _, row in mine:
            row.is_leaving = True
        try:
            mine.sort(key=lambda item: item[1].tenant.organization_id)
            for _, same in groupby(mine, key=lambda item: item[1].tenant.organization_id):
                await self._write(list(same))
        finally:
            for _, row in mine:
                row.is_leaving = False

    async def _write(self, rows: list[tuple[int, _Waiting]]) -> None:
        try:
            # Repeatable: the id is given, so a row that did arrive is left as it is.
            async with self._db.tenant_batch(rows[0][1].tenant, repeatable=True) as batch:
                for _, row in rows:
                    batch.queue(sql.record_token_use, msgspec.structs.asdict(row.use))
                    if row.settles:
                        batch.queue(sql.settle, {"id": row.use.id, "cost": row.use.cost})
        except (DatabaseBusy, DatabaseUnavailable) as error:
            log.error("%d rows of the usage ledger wait: %s", len(rows), error)  # noqa: TRY400
            return
        except Exception:
            # The database refuses a row, of a deleted organization say: the others must not suffer.
            if len(rows) > 1:
                for one in rows:
                    await self._write([one])
                return
            log.exception("A row of the usage ledger is refused: %s", _json(rows[0][1].use))
        for number, _ in rows:
            self._waiting.pop(number, None)


async def run_token_uses(db: Database, tenant: Tenant, run_id: UUID) -> list[TokenUse]:
    """The provider calls of a run, oldest first; empty for another organization's run."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        pending = batch.add(sql.run_token_uses, {"run_id": run_id}, row=TokenUse)
    return pending.rows


async def list_usage(
    db: Database, tenant: Tenant, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[TokenUse]:
    """Calls to providers, newest first, those before `after` (when, id)."""
    before, before_id = after or (None, None)
    params = {"before": before, "before_id": before_id, "most": limit}
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        pending = batch.add(sql.list_usage, params, row=TokenUse)
    return pending.rows


def _json(use: TokenUse) -> str:
    return msgspec.json.encode(use).decode()
