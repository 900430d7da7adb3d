"""The hub: one per process, one read of new events for all subscribers.

It is woken (`wake`, by the listener of the database and by the relay of the same process) or polls,
reads what was published after its position, and offers each event to those who subscribed to its
topic in its organization. It depends on no notice: whatever it misses, it reads by position.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec
import structlog

from tidings.base.errors import CursorInvalid, DatabaseBusy, DatabaseUnavailable
from tidings.base.tenant import Tenant
from tidings.db.transaction import Database
from tidings.realtime.duty import stop_if_cancelled
from tidings.realtime.outbox import Event, sql
from tidings.realtime.subscription import Subscription
from tidings.realtime.topics import TopicChecks, check_topics

CHANNEL = "tidings_events"
"""The channel on which the relay says that there is something new."""

_PAGE = 500
_QUEUE = 1_000
_BROKEN = 5.0  # seconds between reads, at most, while the database does not answer

log = structlog.get_logger(__name__)


class _Bounds(msgspec.Struct, frozen=True):
    resumable_from: int
    last_position: int


class Hub:
    """Hands out the events of all organizations to the subscribers of one process."""

    def __init__(
        self, database: Database, checks: TopicChecks, *, poll: float = 0.25, queue: int = _QUEUE
    ) -> None:
        """`checks` says who may read which topic.

        `poll` is in seconds: short when nothing calls `wake`, long when a listener does. `queue` is
        how many events may wait for one subscriber.
        """
        self._database = database
        self._checks = checks
        self._poll = poll
        self._queue = queue
        self._subscribers: defaultdict[tuple[UUID, str], set[Subscription]] = defaultdict(set)
        self._position: int | None = None  # None while there is nobody to read for
        self._hint = asyncio.Event()

    def wake(self, _payload: str = "") -> None:
        """Say that something was, or may have been, published; fit for `Listener`."""
        self._hint.set()

    async def run(self) -> None:
        """Hand out events until cancelled."""
        wait = self._poll
        while True:
            try:
                await self._read_on()
                wait = self._poll
            except (DatabaseUnavailable, DatabaseBusy) as error:
                log.warning("hub_waits_for_database", error=error.message)
                wait = min(wait * 2, _BROKEN)
            stop_if_cancelled()
            await self._rest(wait)

    @asynccontextmanager
    async def subscribe(
        self, tenant: Tenant, topics: Sequence[str], *, after: int | None = None
    ) -> AsyncIterator[Subscription]:
        """Subscribe to topics of the tenant's organization while the block lasts.

        From now on, or after a position that was seen within 24 hours. What was committed before
        the block is entered and not yet published is handed out too. Raises `InputInvalid` or
        `RowMissing` for a topic, `CursorInvalid` for a position that is too old or was never given.
        """
        await check_topics(self._checks, tenant, topics)
        wanted = sorted(set(topics))

        async def read(position: int) -> list[Event] | None:
            return await self._read_topics(tenant, wanted, position)

        subscription = Subscription(read, lambda: self._position or 0, self._queue)
        keys = [(tenant.organization_id, topic) for topic in wanted]
        # Joined before the bounds are read: whatever is offered meanwhile is noted.
        for key in keys:
            self._subscribers[key].add(subscription)
        try:
            await self._begin(subscription, after)
            yield subscription
        finally:
            subscription.end()
            self._leave(subscription, keys)

    async def _begin(self, subscription: Subscription, after: int | None) -> None:
        async with self._database.system_batch(repeatable=True) as batch:
            answer = batch.add(sql.outbox_bounds, row=_Bounds)
        bounds = answer.one()
        start = bounds.last_position if after is None else after
        if not bounds.resumable_from <= start <= bounds.last_position:
            raise CursorInvalid("Events after that position are no longer kept; start anew.")
        if self._position is None:
            self._position = start
        subscription.begin(start, behind=after is not None or self._position > start)
        self.wake()

    def _leave(self, subscription: Subscription, keys: list[tuple[UUID, str]]) -> None:
        for key in keys:
            self._subscribers[key].discard(subscription)
            if not self._subscribers[key]:
                del self._subscribers[key]
        if not self._subscribers:
            self._position = None

    async def _read_on(self) -> None:
        """Read and hand out everything after the hub's position."""
        while (start := self._position) is not None:
            async with self._database.system_batch(repeatable=True) as batch:
                answer = batch.add(sql.events_after, {"after": start, "max": _PAGE}, row=Event)
            if self._position != start:
                continue  # everybody left meanwhile and others came
            for event in answer.rows:
                self._position = event.position
                for subscription in self._subscribers.get((event.organization_id, event.topic), ()):
                    subscription.offer(event)
            if len(answer.rows) < _PAGE:
                return

    async def _read_topics(
        self, tenant: Tenant, topics: list[str], after: int
    ) -> list[Event] | None:
        async with self._database.tenant_batch(tenant, repeatable=True) as batch:
            answer = batch.add(
                sql.topic_events_after, {"topics": topics, "after": after, "max": _PAGE}, row=Event
            )
            bounds = batch.add(sql.outbox_bounds, row=_Bounds)
        return answer.rows if bounds.one().resumable_from <= after else None

    async def _rest(self, wait: float) -> None:
        try:
            async with asyncio.timeout(wait):
                await self._hint.wait()
        except TimeoutError:
            return
        finally:
            self._hint.clear()
