"""Ending jobs: completions share a statement, the other ends are alone."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from tidings.db.queries import load_queries
from tidings.db.statement import Pending
from tidings.db.transaction import Batch, Database, Row
from tidings.queue.claim import ClaimedJob
from tidings.queue.held import Held

sql = load_queries("tidings.queue")


class Completion(NamedTuple):
    """A job that is done, with its result (JSON)."""

    held: Held
    result: str | None


def add_completions(batch: Batch, done: Sequence[Completion]) -> Pending[Row]:
    """Complete jobs in a batch with something else.

    Answers with `id` and `status` of those that ended otherwise: `cancelled`, or `lost`.
    """
    results = [completion.result for completion in done]
    return batch.add(
        sql.finish_jobs,
        {
            "organization_ids": [completion.held.job.organization_id for completion in done],
            "ids": [completion.held.job.id for completion in done],
            "tokens": [completion.held.job.lease_token for completion in done],
            "results": results if any(results) else None,
        },
    )


async def fail_job(
    db: Database, job: ClaimedJob, problem: str, *, may_retry: bool, delay: float = 0
) -> str:
    """End this try: `pending` again after `delay` seconds, `failed`, `cancelled` or `lost`."""
    async with db.system_batch() as batch:
        status = batch.add(
            sql.fail_job,
            {
                "organization_id": job.organization_id,
                "id": job.id,
                "token": job.lease_token,
                "problem": problem,
                "may_retry": may_retry,
                "delay": timedelta(seconds=delay),
            },
        )
    ended: str = status.value()
    return ended


async def block_job(db: Database, job: ClaimedJob, reason: str, *, delay: float) -> str:
    """Put it aside for `delay` seconds without using up an attempt.

    Returns `blocked`, or `failed` when its deadline comes first, `cancelled` or `lost`.
    """
    async with db.system_batch() as batch:
        status = batch.add(
            sql.block_job,
            {
                "organization_id": job.organization_id,
                "id": job.id,
                "token": job.lease_token,
                "reason": reason,
                "delay": timedelta(seconds=delay),
            },
        )
    ended: str = status.value()
    return ended


async def release_jobs(db: Database, jobs: Sequence[ClaimedJob]) -> dict[UUID, str]:
    """Give jobs back without using up an attempt.

    Returns by id which are `pending`, `cancelled` or `failed` now; those missing were lost.
    """
    async with db.system_batch() as batch:
        released = batch.add(
            sql.release_jobs,
            {
                "organization_ids": [job.organization_id for job in jobs],
                "ids": [job.id for job in jobs],
                "tokens": [job.lease_token for job in jobs],
            },
        )
    return {row["id"]: row["status"] for row in released.rows}
