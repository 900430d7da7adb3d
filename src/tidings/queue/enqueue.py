"""Enqueueing: in the caller's transaction, so that a job exists exactly when its cause does."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from tidings.base.ids import uuid7, uuid7s
from tidings.db.queries import load_queries
from tidings.db.transaction import Statements, Transaction

sql = load_queries("tidings.queue")


class NewJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job to enqueue: what handles it, with which arguments, and by which rules.

    `args` is encoded as a JSON object (a dict or a Struct). `run_at` is not before; `deadline` is
    the time from now after which it fails, attempts left or not. At most one job of an
    organization and `kind` lives with the same `unique_key`. Of those that share a
    `concurrency_key`, `concurrency_limit` run at once. Each point of `priority` counts as a minute
    of waiting. A job with a `run_id` becomes the one that the run follows.
    """

    kind: str
    args: Any = msgspec.field(default_factory=dict)
    run_id: UUID | None = None
    run_at: datetime | None = None
    priority: int = 0
    unique_key: str | None = None
    concurrency_key: str | None = None
    concurrency_limit: int = 1
    max_attempts: int = 5
    deadline: timedelta | None = None


def enqueue(statements: Statements, job: NewJob) -> UUID:
    """Queue the job on a tenant batch or transaction; costs no round trip of its own.

    Returns the id of the new job. Where a live job has the same `unique_key`, that one stands and
    this id is never used: ask with `enqueue_unique` when you need to know which. A viewer's
    transaction fails with `RoleForbidden`.
    """
    job_id = uuid7()
    statements.queue(sql.enqueue, _params(job_id, job))
    return job_id


async def enqueue_unique(transaction: Transaction, job: NewJob) -> UUID:
    """Enqueue now (one round trip) and return the id of the job that lives with `unique_key`."""
    found: UUID = await transaction.value(sql.enqueue, _params(uuid7(), job))
    return found


def enqueue_many(statements: Statements, jobs: Sequence[NewJob]) -> list[UUID]:
    """Queue many jobs as one statement; returns their ids in order.

    Those whose `unique_key` is live already are left out. Raises ValueError for a job of a run:
    a run follows one job.
    """
    if any(job.run_id is not None for job in jobs):
        raise ValueError("a run follows one job; enqueue it alone")
    ids = uuid7s(len(jobs))
    if not jobs:
        return ids
    if _are_alike(jobs):
        first = jobs[0]
        shared = {
            "kind": first.kind,
            "run_at": first.run_at,
            "priority": first.priority,
            "max_attempts": first.max_attempts,
            "deadline": first.deadline,
        }
        statements.queue(
            sql.enqueue_alike, {"ids": ids, "args": [_encode(job.args) for job in jobs], **shared}
        )
        return ids
    statements.queue(
        sql.enqueue_many,
        {
            "ids": ids,
            "kinds": [job.kind for job in jobs],
            "args": [_encode(job.args) for job in jobs],
            "run_ats": [job.run_at for job in jobs],
            "priorities": [job.priority for job in jobs],
            "unique_keys": [job.unique_key for job in jobs],
            "concurrency_keys": [job.concurrency_key for job in jobs],
            "concurrency_limits": [job.concurrency_limit for job in jobs],
            "max_attempts": [job.max_attempts for job in jobs],
            "deadlines": [job.deadline for job in jobs],
        },
    )
    return ids


def _params(job_id: UUID, job: NewJob) -> dict[str, Any]:
    return {
        "id": job_id,
        "kind": job.kind,
        "args": _encode(job.args),
        "run_id": job.run_id,
        "run_at": job.run_at,
        "priority": job.priority,
        "unique_key": job.unique_key,
        "concurrency_key": job.concurrency_key,
        "concurrency_limit": job.concurrency_limit,
        "max_attempts": job.max_attempts,
        "deadline": job.deadline,
    }


def _are_alike(jobs: Sequence[NewJob]) -> bool:
    """Whether they differ in their arguments alone, and none has a key."""
    first = jobs[0]
    if first.unique_key is not None or first.concurrency_key is not None:
        return False
    return all(
        job.kind == first.kind
        and job.run_at is first.run_at
        and job.priority == first.priority
        and job.unique_key is None
        and job.concurrency_key is None
        and job.max_attempts == first.max_attempts
        and job.deadline == first.deadline
        for job in jobs
    )


def _encode(args: object) -> str:
    return msgspec.json.encode(args).decode()
