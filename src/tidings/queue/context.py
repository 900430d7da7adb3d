"""What a handler gets beside its arguments."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from tidings.base.errors import DatabaseBusy, DatabaseUnavailable, RunCancelled
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Statements
from tidings.queue.claim import ClaimedJob
from tidings.queue.report import ProgressReport
from tidings.queue.result import encode_result

sql = load_queries("tidings.queue")
log = structlog.get_logger(__name__)


class JobContext:
    """One try of one job: who it runs for, until when, and how it reports and ends."""

    __slots__ = ("_db", "_job", "_report", "is_cancelled", "is_finished")

    def __init__(self, db: Database, job: ClaimedJob) -> None:
        """Made by the worker."""
        self._db = db
        self._job = job
        self._report: ProgressReport | None = None
        self.is_cancelled = False
        self.is_finished = False

    @property
    def tenant(self) -> Tenant:
        """Who it runs for: the services, for the user that enqueued it."""
        return self._job.tenant

    @property
    def job_id(self) -> UUID:
        """The job."""
        return self._job.id

    @property
    def run_id(self) -> UUID | None:
        """The run that the job serves."""
        return self._job.run_id

    @property
    def attempt(self) -> int:
        """Which try this is; the first is 1."""
        return self._job.attempt

    @property
    def deadline(self) -> datetime | None:
        """When the worker stops it."""
        return self._job.deadline_at

    async def progress(self, stage: str, done: int, total: int) -> None:
        """Write and publish how far the job is, at most every quarter of a second within a stage.

        A new stage and the last step of one are written at once, of the rest the latest is. A
        database that is busy for a moment costs a write, not the job. Raises `RunCancelled` when
        cancelling was asked for and `LeaseLost` when another worker has the job.
        """
        self.raise_if_cancelled()
        if self._report is None:
            self._report = ProgressReport(self._write_progress)
        await self._report.say(stage, done, total)
        self.raise_if_cancelled()

    async def _write_progress(self, stage: str, done: int, total: int) -> bool:
        try:
            async with self._db.system_batch() as batch:
                asked = batch.add(
                    sql.progress_job,
                    {**self._lease(), "stage": stage, "done": done, "total": total},
                )
        except (DatabaseBusy, DatabaseUnavailable) as error:
            log.warning("progress not written", problem=error.message)
            return False
        self.is_cancelled = self.is_cancelled or asked.value()
        return True

    def finish(self, statements: Statements, result: object = None) -> None:
        """Complete the job in the handler's own tenant transaction or batch, with its effects.

        All of it commits or nothing does: `LeaseLost` comes out of the transaction when another
        worker has the job or cancelling was asked for. Nothing may follow that transaction.
        `result` becomes the run's.
        """
        statements.queue(sql.finish_job, {**self._lease(), "result": encode_result(result)})
        self.is_finished = True

    def close(self) -> None:
        """The handler has ended: report nothing more."""
        if self._report is not None:
            self._report.close()

    def raise_if_cancelled(self) -> None:
        """Raise `RunCancelled` once cancelling was asked for."""
        if self.is_cancelled:
            raise RunCancelled

    def _lease(self) -> dict[str, Any]:
        return {
            "organization_id": self._job.organization_id,
            "id": self._job.id,
            "token": self._job.lease_token,
        }


Handler = Callable[[JobContext, dict[str, Any]], Awaitable[object]]
"""Does a kind of job; what it returns is the result, unless it called `context.finish`."""
