"""The exchange with the database: one turn says which jobs are done and takes the next ones.

A turn is one transaction and one round trip. While it is under way the worker runs what it took
before, and what ends meanwhile is said by the next turn. As long as claims bring all that they ask
for, a second turn is under way beside the first: the database works on the one while the answer of
the other is read, and neither waits for the disk alone.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import structlog

from tidings.base.errors import DatabaseBusy, DatabaseUnavailable
from tidings.db.statement import Pending
from tidings.db.transaction import Batch, Database
from tidings.queue.claim import EVER, ClaimConfig, ClaimedJob, add_claim
from tidings.queue.decide import next_pause
from tidings.queue.duty import wait_any
from tidings.queue.finish import Completion, add_completions
from tidings.queue.pace import Pace
from tidings.queue.settle import Settling
from tidings.queue.wake import WakeUp

log = structlog.get_logger(__name__)

MOST_COMPLETIONS = 500
"""In one turn."""

RIPE_INTERVAL = 0.02
"""Seconds between two looks for jobs whose time has come."""

RIPE_SINCE = timedelta(minutes=2)
"""How far back a look goes: index entries of what came due before may be dead and still there."""

RIPE_ALL = 60.0
"""Seconds between two looks at all of them: a long transaction may have brought one late."""


class Ways(NamedTuple):
    """What the worker gives an exchange: how many more it takes, and where they and the ends go."""

    room: Callable[[], int]
    take: Callable[[Sequence[ClaimedJob], float], None]
    ended: Callable[[Completion, str], None]


class Exchange:
    """The only loop of a worker that claims and completes."""

    def __init__(
        self,
        db: Database,
        kinds: Sequence[str],
        worker: str,
        config: ClaimConfig,
        wake: WakeUp,
        ways: Ways,
    ) -> None:
        """`kinds` are those that this worker has handlers for."""
        self._db = db
        self._kinds = kinds
        self._worker = worker
        self._config = config
        self._wake = wake
        self._ways = ways
        self._done: deque[Completion] = deque()
        self._stir = asyncio.Event()
        self.pace = Pace()
        self._ends = 0
        self._settling = Settling(db)
        self._pause = config.poll_least
        self._next_claim = 0.0
        self._next_ripe = 0.0
        self._next_all_ripe = 0.0
        self._after: UUID | None = None
        self._spent = 0
        self._asked = 0
        self._has_more = asyncio.Event()

    @property
    def asked(self) -> int:
        """How many jobs the turns that are under way may still bring."""
        return self._asked

    @property
    def batch(self) -> int:
        """How many jobs a turn should take at most."""
        batch, share = self._config.batch, self._config.share
        return min(batch, share) if self.pace.is_shared(_now()) else batch

    def complete(self, completion: Completion) -> None:
        """Say in the next turn that this job is done."""
        self._done.append(completion)
        self.count_end()

    def count_end(self) -> None:
        """A job has ended in some way, so that there is room for more."""
        self._ends += 1
        self._stir.set()

    async def run(self, stopping: asyncio.Event, closing: asyncio.Event) -> None:
        """Claim until `stopping` is set, and complete until `closing` is."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._turns_beside(stopping, closing))
            await self._turns(stopping, closing)

    async def _turns(self, stopping: asyncio.Event, closing: asyncio.Event) -> None:
        while not closing.is_set():
            self._stir.clear()
            if self._ends:
                self.pace.ended(_now(), self._ends)
                self._ends = 0
            most = 0 if stopping.is_set() else self._ways.room()
            waits = self._next_claim - _now()
            if self._wake.jobs.is_set():
                waits = 0.0
            if not self._done and (most == 0 or waits > 0):
                events = [self._stir, closing]
                if not stopping.is_set():
                    events += [self._wake.jobs, stopping]
                await wait_any(events, waits if most else None)
                continue
            await self._turn(0 if waits > 0 else most)

    async def _turns_beside(self, stopping: asyncio.Event, closing: asyncio.Event) -> None:
        """Turns beside those of `_turns`, while there is more and much room for it."""
        while not closing.is_set():
            await wait_any([self._has_more, closing])
            while self._has_more.is_set() and not stopping.is_set():
                most = self._ways.room()
                if 2 * most < self.batch:
                    break
                await self._turn(most)
            self._has_more.clear()

    async def _turn(self, most: int) -> None:
        done = [self._done.popleft() for _ in range(min(len(self._done), MOST_COMPLETIONS))]
        try:
            claimed = await self._send(done, most)
        except (DatabaseBusy, DatabaseUnavailable) as error:
            log.warning("duty waits for the database", duty="exchange", problem=error.message)
            self._keep(done)
            await asyncio.sleep(self._rest(found=False))
        except Exception:
            log.exception("duty failed once", duty="exchange")
            await self._send_singly(done)
            await asyncio.sleep(self._rest(found=False))
        else:
            await self._settling.count(claimed)

    async def _send(self, done: Sequence[Completion], most: int) -> list[ClaimedJob]:
        sent_at = _now()
        claimed = None
        is_beside = self._asked > 0
        self._asked += most
        try:
            async with self._db.system_batch() as batch:
                answer = add_completions(batch, done) if done else None
                if most > 0:
                    self._wake.jobs.clear()
                    ripe_since = self._ripe_since(sent_at)
                    claimed = self._add_claim(batch, most, sent_at, ripe_since)
        finally:
            self._asked -= most
        if answer is not None:
            others = {row["id"]: row["status"] for row in answer.rows}
            for completion in done:
                status = others.get(completion.held.job.id, "completed")
                self._ways.ended(completion, status)
        if claimed is None:
            return []
        if ripe_since is not None:
            self._next_ripe = _now() + RIPE_INTERVAL
        if ripe_since is EVER:
            self._next_all_ripe = _now() + RIPE_ALL
        jobs = claimed.rows
        self._claimed(jobs, most, is_beside=is_beside or self._asked > 0)
        self._ways.take(jobs, sent_at + self._config.lease)
        return jobs

    def _add_claim(
        self, batch: Batch, most: int, sent_at: float, ripe_since: timedelta | None
    ) -> Pending[ClaimedJob]:
        return add_claim(
            batch,
            self._kinds,
            most,
            lease=self._config.lease,
            worker=self._worker,
            is_idle=self.pace.idle_mark(sent_at, hears=self._wake.is_listening),
            after=self._after,
            spent=self._spent,
            ripe_since=ripe_since,
        )

    def _claimed(self, jobs: Sequence[ClaimedJob], most: int, *, is_beside: bool) -> None:
        now = _now()
        is_full = len(jobs) == most
        self.pace.claimed(now, is_full=is_full)
        if is_full:
            self._has_more.set()
        else:
            self._has_more.clear()
        if jobs:
            self._served(jobs)
        pause = self._rest(found=bool(jobs))
        # One that finds less beside another turn may have met what that one had locked.
        comes_now = is_full or (is_beside and bool(jobs))
        self._next_claim = 0.0 if comes_now else now + pause

    def _ripe_since(self, now: float) -> timedelta | None:
        if now < self._next_ripe:
            return None
        return EVER if now >= self._next_all_ripe else RIPE_SINCE

    def _served(self, jobs: Sequence[ClaimedJob]) -> None:
        """Note whose turn it is, and how much of it is spent."""
        self.pace.served(_now(), {job.organization_id for job in jobs})
        last = max(job.lane for job in jobs)
        served = [job.organization_id for job in jobs if job.lane == last]
        before = self._spent if served[0] == self._after else 0
        self._after, self._spent = served[0], before + len(served)

    def _rest(self, *, found: bool) -> float:
        least, most = self._config.poll_least, self._config.poll_most
        self._pause = next_pause(self._pause, least=least, most=most, found=found)
        # Jitter, so that many workers do not come in step.
        return self._pause * random.uniform(0.8, 1)  # noqa: S311

    def _keep(self, done: Sequence[Completion]) -> None:
        """Say it again later, as long as the lease lasts; after that the job is rescued."""
        now = _now()
        for completion in reversed(done):
            if completion.held.leased_until < now:
                log.error("job could not be ended", job_id=str(completion.held.job.id))
                self._ways.ended(completion, "lost")
            else:
                self._done.appendleft(completion)

    async def _send_singly(self, done: Sequence[Completion]) -> None:
        # One that the database refuses must not take the others with it.
        for completion in done:
            try:
                await self._send([completion], 0)
            except (DatabaseBusy, DatabaseUnavailable):
                self._keep([completion])
            except Exception:
                log.exception("job could not be ended", job_id=str(completion.held.job.id))
                self._ways.ended(completion, "lost")


def _now() -> float:
    return asyncio.get_running_loop().time()
