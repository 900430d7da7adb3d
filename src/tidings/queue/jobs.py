"""Looking at jobs, and the two things a person may do with one: cancel and retry."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Statements

sql = load_queries("tidings.queue")

JobStatus = Literal["pending", "running", "blocked", "completed", "failed", "cancelled"]


class Job(msgspec.Struct, frozen=True):
    """A job, live or finished; a failed one is a dead letter.

    `run_at` is when it is due (None: when another with its concurrency key has ended), `error` why
    it is blocked, else the last try's.
    """

    id: UUID
    kind: str
    status: JobStatus
    args: dict[str, Any]
    user_id: UUID
    run_id: UUID | None
    priority: int
    run_at: datetime | None
    attempt: int
    max_attempts: int
    worker: str | None
    progress: dict[str, Any] | None
    result: Any
    error: str | None
    is_cancel_requested: bool
    created_at: datetime
    claimed_at: datetime | None
    finished_at: datetime | None


async def list_jobs(
    db: Database,
    tenant: Tenant,
    *,
    status: JobStatus | None = None,
    kind: str | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[Job]:
    """Jobs, newest first; `before` is the id of the last one of the previous page."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(
            sql.list_jobs,
            {"status": status, "kind": kind, "before": before, "limit": limit},
            row=Job,
        )
    return found.rows


async def get_job(db: Database, tenant: Tenant, job_id: UUID) -> Job:
    """One job. Raises `RowMissing` when there is none, or it is another organization's."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.get_job, {"id": job_id}, row=Job)
    return found.one()


async def cancel_job(db: Database, tenant: Tenant, job_id: UUID) -> JobStatus:
    """Cancel a job and return its status; safe to repeat.

    One that waits is cancelled at once; one that runs is stopped by its worker and can only end as
    cancelled. Raises `RowMissing`, and `RoleForbidden` for viewers.
    """
    async with db.tenant_batch(tenant) as batch:
        status = batch.add(sql.cancel_job, {"id": job_id})
    found: JobStatus = status.value()
    return found


async def retry_job(db: Database, tenant: Tenant, job_id: UUID) -> None:
    """Make a dead letter pending again, with all its attempts and its whole time.

    Raises `RowMissing`, `StateConflict` when it has not failed, `RoleForbidden` for viewers.
    """
    async with db.tenant_batch(tenant) as batch:
        batch.queue(sql.retry_job, {"id": job_id})


def unblock_jobs(statements: Statements) -> None:
    """Let what a budget or a rate blocks try again when the transaction commits."""
    statements.queue(sql.unblock_jobs)


class QueueState(msgspec.Struct, frozen=True):
    """Over all organizations: jobs that wait or run, since when the oldest due one waits, and when
    a worker left its last trace."""

    depth: int
    due_since: datetime | None
    worker_seen_at: datetime | None


async def queue_state(db: Database) -> QueueState:
    """How the queue stands, for operators."""
    async with db.system_batch(repeatable=True) as batch:
        found = batch.add(sql.queue_state, row=QueueState)
    return found.one()
