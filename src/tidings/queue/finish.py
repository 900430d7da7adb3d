"""Ending jobs: completions that arrive together share a statement, the other ends are alone."""

import asyncio
from datetime import timedelta
from typing import NamedTuple

import structlog

from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.queue.claim import ClaimedJob

sql = load_queries("tidings.queue")
log = structlog.get_logger(__name__)

BATCH = 200
"""Most completions in one statement."""


class _Completion(NamedTuple):
    job: ClaimedJob
    result: str | None
    status: asyncio.Future[str]


class Finisher:
    """Acknowledges completions; while one statement is under way the next batch gathers."""

    def __init__(self, db: Database) -> None:
        """Nothing waits yet."""
        self._db = db
        self._waiting: list[_Completion] = []
        self._flushing: asyncio.Task[None] | None = None

    async def complete(self, job: ClaimedJob, result: str | None) -> str:
        """Return `completed`, `cancelled` or `lost` once the database has said so.

        `result` is JSON. Raises what the database raised.
        """
        status: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Completion(job, result, status))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        return await status

    async def _flush(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                await self._send(batch)
        finally:
            self._flushing = None

    async def _send(self, batch: list[_Completion]) -> None:
        try:
            async with self._db.system_batch() as statements:
                ended = statements.add(
                    sql.finish_jobs,
                    {
                        "organization_ids": [each.job.organization_id for each in batch],
                        "ids": [each.job.id for each in batch],
                        "tokens": [each.job.lease_token for each in batch],
                        "results": [each.result for each in batch],
                    },
                )
        except Exception as error:
            for each in batch:
                if not each.status.done():
                    each.status.set_exception(error)
            return
        statuses = {row["id"]: row["status"] for row in ended.rows}
        for each in batch:
            if not each.status.done():
                each.status.set_result(statuses.get(each.job.id, "lost"))


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


async def release_job(db: Database, job: ClaimedJob) -> str:
    """Give a job back without using up an attempt: `pending`, `cancelled`, `failed` or `lost`."""
    async with db.system_batch() as batch:
        released = batch.add(sql.release_jobs, {"ids": [job.id], "tokens": [job.lease_token]})
    row = released.optional()
    return row["status"] if row else "lost"
