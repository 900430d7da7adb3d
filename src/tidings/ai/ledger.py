"""The usage ledger: one row for each call to a provider, failed ones too.

The local engine has no rows: nothing leaves, nothing is paid, and a run of 500 meetings would write
500 rows that say nothing. A paid answer is never lost because its row could not be written: the row
waits in the process and goes along with a later one, or with `flush()` at shutdown.
"""

import asyncio
import logging
from collections import deque
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Literal
from uuid import UUID

import msgspec

from tidings.base.errors import DatabaseBusy, DatabaseUnavailable
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database

sql = load_queries("tidings.ai")
log = logging.getLogger(__name__)

LONGEST_ERROR = 500
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


class Ledger:
    """Appends rows to `token_usage`, each in a transaction of its own."""

    def __init__(self, db: Database) -> None:
        """`db` is only used by `record` and `flush`."""
        self._db = db
        self._waiting: deque[tuple[Tenant, TokenUse]] = deque()

    @property
    def waiting(self) -> int:
        """Rows that could not be written yet."""
        return len(self._waiting)

    async def record(self, tenant: Tenant, use: TokenUse) -> None:
        """Write a row, and those that wait; a failure is logged and the row waits, never raised."""
        self.defer(tenant, use)
        await self.flush()

    def defer(self, tenant: Tenant, use: TokenUse) -> None:
        """Keep a row for the next `record` or `flush`; for where nothing may be awaited."""
        if len(self._waiting) >= MOST_WAITING:
            _, lost = self._waiting.popleft()
            log.error("A row of the usage ledger is lost: %s", _json(lost))
        self._waiting.append((tenant.as_service(), use))

    async def flush(self) -> None:
        """Write all rows that wait, one round trip for each organization; never raises."""
        rows = list(self._waiting)
        self._waiting.clear()
        rows.sort(key=lambda row: row[0].organization_id)
        for _, same in groupby(rows, key=lambda row: row[0].organization_id):
            await self._write(list(same))

    async def _write(self, rows: list[tuple[Tenant, TokenUse]]) -> None:
        try:
            # Repeatable: the id is given, so a row that did arrive is left as it is.
            async with self._db.tenant_batch(rows[0][0], repeatable=True) as batch:
                for _, use in rows:
                    batch.queue(sql.record_token_use, msgspec.structs.asdict(use))
        except (DatabaseBusy, DatabaseUnavailable) as error:
            self._waiting.extendleft(reversed(rows))
            log.error("%d rows of the usage ledger wait: %s", len(rows), error)  # noqa: TRY400
        except asyncio.CancelledError:
            self._waiting.extendleft(reversed(rows))
            raise
        except Exception:
            # The database refuses a row, of a deleted organization say: the others must not suffer.
            if len(rows) == 1:
                log.exception("A row of the usage ledger is refused: %s", _json(rows[0][1]))
                return
            for row in rows:
                await self._write([row])


async def run_token_uses(db: Database, tenant: Tenant, run_id: UUID) -> list[TokenUse]:
    """The provider calls of a run, oldest first; empty for another organization's run."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        pending = batch.add(sql.run_token_uses, {"run_id": run_id}, row=TokenUse)
    return pending.rows


def _json(use: TokenUse) -> str:
    return msgspec.json.encode(use).decode()
