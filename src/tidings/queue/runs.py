"""Runs: what a person waits for, over the job that serves it (product.md, HTTP contract)."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from tidings.base.errors import RoleForbidden
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Batch, Database, Transaction

sql = load_queries("tidings.queue")

RunStatus = Literal["queued", "running", "complete", "error", "cancelled"]
LIVE: tuple[RunStatus, ...] = ("queued", "running")


class Progress(msgspec.Struct, frozen=True):
    """How far a run is: its stage, and steps done of the stage's total (0 while not known)."""

    stage: str | None
    done: int
    total: int


class Run(msgspec.Struct, frozen=True):
    """One tracked piece of work about a subject, such as a domain.

    `result` is None until it is complete; its `url`, where there is one, leads to what was made.
    """

    id: UUID
    kind: str
    subject: str
    status: RunStatus
    progress: Progress
    result: Any
    error: str | None
    job_id: UUID
    created_by: UUID
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime

    @property
    def is_live(self) -> bool:
        """Whether it may still change."""
        return self.status in LIVE


class StartedRun(msgspec.Struct, frozen=True):
    """The run to wait for; `created` is False when it was under way already."""

    run_id: UUID
    created: bool


async def start_run(
    transaction: Transaction,
    *,
    kind: str,
    subject: str,
    args: Any,
    reuse: bool = True,
    deadline: timedelta | None = None,
    max_attempts: int = 5,
) -> StartedRun:
    """Make a run and the job that serves it (the job's kind is the run's); one round trip.

    With `reuse`, a live run of the same kind and subject is returned instead; of any number of
    callers at once, one makes it.
    """
    params = {
        "run_id": uuid7(),
        "kind": kind,
        "subject": subject,
        "args": msgspec.json.encode(args).decode(),
        "reuse": reuse,
        "deadline": deadline,
        "max_attempts": max_attempts,
    }
    return await transaction.one(sql.start_run, params, row=StartedRun)


async def get_run(db: Database, tenant: Tenant, run_id: UUID) -> Run:
    """One run. Raises `RowMissing` when there is none, or it is another organization's."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.get_run, {"id": run_id})
    return _run(found.one())


async def list_runs(
    db: Database,
    tenant: Tenant,
    *,
    kind: str | None = None,
    families: Sequence[str] | None = None,
    subject: str | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[Run]:
    """Runs, newest first; `before` is the id of the last one of the previous page.

    With `families`, those whose kind is one of them or begins with one and a dot.
    """
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = add_runs(
            batch, kind=kind, families=families, subject=subject, before=before, limit=limit
        )
    return found()


def add_runs(
    batch: Batch,
    *,
    kind: str | None = None,
    families: Sequence[str] | None = None,
    subject: str | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> Callable[[], list[Run]]:
    """As `list_runs`, in somebody's batch; call what is returned when it has ended."""
    params = {
        "kind": kind,
        "families": families and list(families),
        "subject": subject,
        "before": before,
        "limit": limit,
    }
    found = batch.add(sql.list_runs, params)
    return lambda: [_run(row) for row in found.rows]


async def cancel_run(
    db: Database, tenant: Tenant, run_id: UUID, *, families: Sequence[str] | None = None
) -> RunStatus:
    """Cancel a run and return its status; safe to repeat. One statement looks and cancels.

    A queued run is cancelled at once. A running one is stopped by its worker within a heartbeat
    and from now on can only end as cancelled. A finished one stays as it is. Raises `RowMissing`,
    and `RoleForbidden` for viewers, and for a kind that is none of the `families`, where given.
    """
    params = {"id": run_id, "families": None if families is None else list(families)}
    async with db.tenant_batch(tenant) as batch:
        status = batch.add(sql.cancel_run, params)
    found: RunStatus | None = status.value()
    if found is None:
        raise RoleForbidden("This key's scopes do not allow this.")
    return found


def _run(row: dict[str, Any]) -> Run:
    fields = dict(row)
    stage, done, total = fields.pop("stage"), fields.pop("done"), fields.pop("total")
    if fields["status"] == "complete":
        # The last step ends with the run, in a transaction that says nothing of progress.
        done = total
    progress = Progress(stage, done, total)
    return Run(progress=progress, **fields)
