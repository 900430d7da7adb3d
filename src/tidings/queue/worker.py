"""The worker: claims jobs, runs their handlers, keeps the leases, and ends every job one way."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar
from uuid import uuid4

import msgspec
import structlog

from tidings.base.errors import DatabaseBusy, DatabaseUnavailable
from tidings.base.settings import Settings
from tidings.db.transaction import Database
from tidings.queue.buffer import FairBuffer
from tidings.queue.claim import ClaimConfig, ClaimedJob
from tidings.queue.context import Handler, JobContext
from tidings.queue.cron import CronConfig, CronEntry, CronRunner
from tidings.queue.decide import DEADLINE_PASSED, backoff
from tidings.queue.duty import attempt, require, wait_any
from tidings.queue.exchange import Exchange, Ways
from tidings.queue.execute import Blocked, Completed, Ended, Execution, Failed, Outcome, Stopped
from tidings.queue.finish import Completion, block_job, fail_job, release_jobs
from tidings.queue.heartbeat import Heartbeat, HeartbeatConfig
from tidings.queue.held import Held, HeldJobs
from tidings.queue.rescue import RescueConfig, Rescuer
from tidings.queue.wake import WakeUp

__all__ = ["Handler", "JobContext", "Worker", "WorkerConfig"]

log = structlog.get_logger(__name__)

T = TypeVar("T")

STUCK = 1.0
"""Seconds without a start after which what is held ahead is given back."""

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
        self._held_jobs = HeldJobs()
        self._buffer = FairBuffer()
        self._under_way = 0
        ways = Ways(self._room, self._take, self._completed)
        self._exchange = Exchange(db, list(handlers), config.name, config.claim, self._wake, ways)
        self._heartbeat = Heartbeat(db, config.heartbeat, self._held_jobs, self._wake)
        self._rescuer = Rescuer(db, config.rescue, self._wake)
        self._cron = CronRunner(db, config.name, config.cron, cron)
        self._stopping = asyncio.Event()
        self._closing = asyncio.Event()
        self._found_nothing = asyncio.Event()
        self._empty_claims = 0
        self._is_dropping = False
        self._started_at = 0.0
        self._unsticking: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()

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
                duties.create_task(self._exchange.run(self._stopping, self._closing))
                await self._stopping.wait()
                await self._drain()
                self._closing.set()
                listening.cancel()
            # What the last turn claimed is being given back.
            await self._held_jobs.empty.wait()
        finally:
            if self._unsticking is not None:
                self._unsticking.cancel()
            self._is_dropping = True
            for held in self._held_jobs:
                held.stop("lost")
            for ending in self._ending:
                ending.cancel()
        log.info("worker stopped", worker=self._config.name)

    async def run_until_empty(self) -> None:
        """Work until nothing is due and nothing is held; then stop."""

        async def watch() -> None:
            await self._found_nothing.wait()
            self.stop()

        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(watch())
            await self.run()
            watching.cancel()

    async def _drain(self) -> None:
        self._return_unstarted()
        await wait_any([self._held_jobs.empty], self._config.grace)
        for held in self._held_jobs:
            held.stop("shutdown")
        await self._held_jobs.empty.wait()

    def _return_unstarted(self) -> None:
        if unstarted := self._buffer.clear():
            self._spawn(attempt("release", lambda: self._give_back(unstarted)))

    async def _give_back(self, jobs: Sequence[Held]) -> None:
        until = asyncio.get_running_loop().time() + self._config.grace
        try:
            await _insist(until, lambda: release_jobs(self._db, [held.job for held in jobs]))
        finally:
            # Their leases end by themselves when the database could not be told.
            for held in jobs:
                self._held_jobs.remove(held)

    def _watch_buffer(self) -> None:
        """Look whether what is held ahead still moves on, as long as there is something."""
        if self._unsticking is None and self._buffer:
            loop = asyncio.get_running_loop()
            self._unsticking = loop.call_at(self._started_at + STUCK, self._unstick)

    def _unstick(self) -> None:
        # Behind slow jobs they would wait long, while another worker may have room for them.
        self._unsticking = None
        if asyncio.get_running_loop().time() >= self._started_at + STUCK:
            self._return_unstarted()
        self._watch_buffer()

    # What the exchange calls ---------------------------------------------------------------------

    def _room(self) -> int:
        config = self._config.claim
        now = asyncio.get_running_loop().time()
        ahead = self._exchange.pace.ahead(now, config.ahead, config.prefetch)
        held = self._under_way + len(self._buffer) + self._exchange.asked
        room = config.slots + ahead - held
        return max(0, min(room, self._exchange.batch))

    def _take(self, jobs: Sequence[ClaimedJob], leased_until: float) -> None:
        if not jobs:
            # Twice: the last job may have enqueued another while the first of them was under way.
            is_sure = not self._held_jobs and not self._exchange.asked
            self._empty_claims = self._empty_claims + 1 if is_sure else 0
            if self._empty_claims > 1:
                self._found_nothing.set()
            return
        self._empty_claims = 0
        claimed_at = leased_until - self._config.claim.lease
        taken = [Held(job, JobContext(self._db, job), claimed_at, leased_until) for job in jobs]
        for held in taken:
            self._held_jobs.add(held)
        if self._stopping.is_set():
            # Claimed in the moment that it was told to stop.
            self._spawn(attempt("release", lambda: self._give_back(taken)))
            return
        self._buffer.add(taken)
        self._fill()
        self._watch_buffer()

    def _completed(self, completion: Completion, status: str) -> None:
        self._forget(completion.held, status)

    # What starts and ends here -------------------------------------------------------------------

    def _fill(self) -> None:
        if not self._buffer:
            return
        slots = self._config.claim.slots
        if self._under_way < slots:
            self._started_at = asyncio.get_running_loop().time()
        while self._under_way < slots and self._buffer:
            held = self._buffer.pop()
            if held.reason is not None:
                self._settle(held, Stopped(held.reason))
            else:
                self._under_way += 1
                Execution(held, self._handlers[held.job.kind], self._ended)

    def _ended(self, held: Held, outcome: Outcome) -> None:
        self._under_way -= 1
        if not self._is_dropping:
            self._settle(held, outcome)
            self._fill()

    def _settle(self, held: Held, outcome: Outcome) -> None:
        match outcome:
            case Completed(result):
                self._exchange.complete(Completion(held, result))
            case Ended():
                self._forget(held, "completed")
                self._exchange.count_end()
            case _:
                self._exchange.count_end()
                self._spawn(self._persist(held, outcome))

    def _spawn(self, ending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(ending)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _forget(self, held: Held, status: str) -> None:
        self._held_jobs.remove(held)
        job = held.job
        if status != "completed" or job.attempt > 1:
            log.info("job ended", job_id=str(job.id), status=status, attempt=job.attempt)

    async def _persist(self, held: Held, outcome: Outcome) -> None:
        """Say the end to the database, again and again while it is busy and the lease lasts."""
        try:
            status = await _insist(held.leased_until, lambda: self._end(held.job, outcome))
        except Exception:
            # Its lease ends by itself and the job is rescued.
            log.exception("job could not be ended", job_id=str(held.job.id))
            status = "lost"
        self._forget(held, status)

    async def _end(self, job: ClaimedJob, outcome: Outcome) -> str:
        match outcome:
            case Failed(problem, may_retry, delay):
                return await fail_job(self._db, job, problem, may_retry=may_retry, delay=delay)
            case Blocked(reason, delay):
                return await block_job(self._db, job, reason, delay=delay)
            case Stopped("shutdown"):
                released = await release_jobs(self._db, [job])
                return released.get(job.id, "lost")
            case Stopped(reason):
                # Of a job that was lost the token is another's by now: nothing happens to it.
                return await fail_job(self._db, job, _SENTENCES[reason], may_retry=reason == "lost")
            case _:
                raise AssertionError(outcome)


async def _insist(until: float, end: Callable[[], Awaitable[T]]) -> T:
    """Say it again while the database is busy, until a time of the event loop."""
    tries = 0
    while True:
        try:
            return await end()
        except (DatabaseBusy, DatabaseUnavailable):
            tries += 1
            if asyncio.get_running_loop().time() > until:
                raise
            await asyncio.sleep(min(1.0, backoff(tries, 0.1)))
