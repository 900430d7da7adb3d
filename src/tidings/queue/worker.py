"""The worker: claims jobs, runs their handlers, keeps the leases, and ends every job one way."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import uuid4

import msgspec
import structlog

from tidings.base.errors import DatabaseBusy, DatabaseUnavailable
from tidings.base.settings import Settings
from tidings.db.transaction import Database
from tidings.queue.claim import ClaimConfig, ClaimedJob, Claimer
from tidings.queue.context import Handler, JobContext
from tidings.queue.cron import CronConfig, CronEntry, CronRunner
from tidings.queue.decide import DEADLINE_PASSED, backoff
from tidings.queue.duty import require, wait_any
from tidings.queue.execute import Completed, Ended, Failed, Outcome, Stopped, execute
from tidings.queue.finish import Finisher, fail_job, release_job
from tidings.queue.heartbeat import Heartbeat, HeartbeatConfig
from tidings.queue.held import Held, HeldJobs
from tidings.queue.rescue import RescueConfig, Rescuer
from tidings.queue.wake import WakeUp

__all__ = ["Handler", "JobContext", "Worker", "WorkerConfig"]

log = structlog.get_logger(__name__)

_SENTENCES = {
    "lost": "The worker lost the job before it was done.",
    "cancelled": "The run was cancelled.",
    "deadline": DEADLINE_PASSED,
}


class WorkerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The duties' own configs; `grace` is what running jobs get at shutdown, in seconds."""

    name: str
    claim: ClaimConfig = ClaimConfig()
    heartbeat: HeartbeatConfig = HeartbeatConfig()
    rescue: RescueConfig = RescueConfig()
    cron: CronConfig = CronConfig()
    grace: float = 8.0

    def __post_init__(self) -> None:
        """Raises `SettingInvalid`."""
        require(self.grace >= 0, "The grace at shutdown is 0 seconds or more.")
        require(self.claim.lease == self.heartbeat.lease, "Claim and heartbeat lease alike.")

    @classmethod
    def from_settings(cls, settings: Settings) -> "WorkerConfig":
        """As the settings say, under a name that no other worker has."""
        return cls(
            name=f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}",
            claim=ClaimConfig(slots=settings.worker_concurrency, lease=settings.job_lease),
            heartbeat=HeartbeatConfig(settings.job_heartbeat, settings.job_lease),
            grace=settings.shutdown_grace,
        )


class Worker:
    """Runs until `stop()`; then finishes or gives back what it holds."""

    def __init__(
        self,
        db: Database,
        handlers: Mapping[str, Handler],
        config: WorkerConfig,
        wake: WakeUp | None = None,
        cron: Sequence[CronEntry] = (),
    ) -> None:
        """`handlers` by kind of job; jobs of other kinds are left for other workers."""
        self._db = db
        self._handlers = handlers
        self._config = config
        self._wake = wake or WakeUp()
        self._held_jobs = HeldJobs(config.claim.slots)
        self._claimer = Claimer(
            db, list(handlers), config.name, config.claim, self._held_jobs, self._wake
        )
        self._heartbeat = Heartbeat(db, config.heartbeat, self._held_jobs, self._wake)
        self._rescuer = Rescuer(db, config.rescue, self._wake)
        self._cron = CronRunner(db, config.name, config.cron, cron)
        self._finisher = Finisher(db)
        self._stopping = asyncio.Event()
        self._closing = asyncio.Event()
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> int:
        """How many jobs it holds now."""
        return len(self._held_jobs)

    def stop(self) -> None:
        """Claim no more; `run()` returns once what is held has ended or was given back."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until `stop()`. Cancelled, it drops what it holds, which is rescued later."""
        log.info("worker starts", worker=self._config.name, kinds=sorted(self._handlers))
        try:
            async with asyncio.TaskGroup() as duties:
                listening = duties.create_task(self._wake.run())
                duties.create_task(self._heartbeat.run(self._closing))
                duties.create_task(self._rescuer.run(self._closing))
                duties.create_task(self._cron.run(self._closing))
                await self._claimer.run(self._stopping, self._start)
                await self._drain()
                self._closing.set()
                listening.cancel()
        finally:
            for serving in self._serving:
                serving.cancel()
        log.info("worker stopped", worker=self._config.name)

    async def _drain(self) -> None:
        await wait_any([self._held_jobs.empty], self._config.grace)
        for held in self._held_jobs:
            held.stop("shutdown")
        await self._held_jobs.empty.wait()

    def _start(self, job: ClaimedJob) -> None:
        leased_until = asyncio.get_running_loop().time() + self._config.claim.lease
        held = Held(job, JobContext(self._db, job), leased_until)
        self._held_jobs.add(held)
        serving = asyncio.create_task(self._serve(held))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)

    async def _serve(self, held: Held) -> None:
        job = held.job
        structlog.contextvars.bind_contextvars(
            organization_id=str(job.organization_id), job_id=str(job.id), kind=job.kind
        )
        try:
            outcome = await execute(held, self._handlers[job.kind])
            status = await self._persist(held, lambda: self._end(job, outcome))
            log.info("job ended", status=status, attempt=job.attempt)
        except Exception:
            # Its lease ends by itself and the job is rescued.
            log.exception("job could not be ended")
        finally:
            self._held_jobs.remove(held)

    async def _end(self, job: ClaimedJob, outcome: Outcome) -> str:
        match outcome:
            case Ended():
                return "completed"
            case Completed(result):
                return await self._finisher.complete(job, result)
            case Failed(problem, may_retry, delay):
                return await fail_job(self._db, job, problem, may_retry=may_retry, delay=delay)
            case Stopped("shutdown"):
                return await release_job(self._db, job)
            case Stopped(reason):
                # Of a job that was lost nothing happens here: it is another worker's.
                return await fail_job(self._db, job, _SENTENCES[reason], may_retry=reason == "lost")

    async def _persist(self, held: Held, end: Callable[[], Awaitable[str]]) -> str:
        """Say the end to the database, again and again while it is busy and the lease lasts."""
        loop = asyncio.get_running_loop()
        tries = 0
        while True:
            try:
                return await end()
            except (DatabaseBusy, DatabaseUnavailable):
                tries += 1
                if loop.time() > held.leased_until:
                    raise
                await asyncio.sleep(min(1.0, backoff(tries, 0.1)))
