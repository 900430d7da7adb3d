"""The hub: one per process, one read of new events for all subscribers.

It is woken (`wake`, by the listener of the database and by the relay of the same process) or polls,
reads what was published after its position, and offers each event to those who subscribed to its
topic in its organization. It depends on no notice: whatever it misses, it reads by position.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from operator import attrgetter
from uuid import UUID

import msgspec
import structlog

from tidings.base.errors import CursorInvalid
from tidings.base.tenant import Tenant
from tidings.db.transaction import Batch, Database
from tidings.realtime.access import ACCESS
from tidings.realtime.burst import Burst, Page
from tidings.realtime.duty import log_trouble, stop_if_cancelled
from tidings.realtime.outbox import Event, sql
from tidings.realtime.subscription import Subscription, Wanted
from tidings.realtime.topics import TopicChecks, check_topics

CHANNEL = "tidings_events"
"""The channel on which the relay says that there is something new."""

_Key = tuple[UUID, str]
"""Organization and topic."""

_PAGE = 500
_PAGE_BYTES = 4 * 1024 * 1024  # of payloads, read for one subscriber that catches up
_QUEUE = 1_000
_BROKEN = 5.0  # seconds between reads, at most, while the database does not answer

log = structlog.get_logger(__name__)


class _Bounds(msgspec.Struct, frozen=True):
    resumable_from: int
    last_position: int


_place = attrgetter("position")


def _is_of_rights(key: _Key) -> bool:
    return key[1].startswith(ACCESS)


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
        self._subscribers: defaultdict[_Key, set[Subscription]] = defaultdict(set)
        self._topics: dict[Subscription, list[_Key]] = {}
        self._position: int | None = None  # None while there is nobody to read for
        self._handed_out = 0  # everything up to here was offered to everybody
        self._hint = asyncio.Event()

    def wake(self, payload: str = "") -> None:
        """Say that something was, or may have been, published; fit for `Listener`.

        `payload` is the last position given, where that is known.
        """
        if payload.isdigit() and self._position is not None and int(payload) <= self._position:
            return
        self._hint.set()

    def read_along(self, batch: Batch) -> Callable[[], None] | None:
        """Read what is new in somebody's batch; call what is returned when it has ended.

        None while there is nobody to read for. The reader may be overtaken by another: then what it
        brought is left where it is.
        """
        start = self._position
        if start is None:
            return None
        answer = batch.add(sql.events_after, {"after": start, "max": _PAGE}, row=Event)

        def hand_out() -> None:
            if self._position != start or len(answer.rows) == _PAGE:
                self.wake()
            if self._position == start:
                self._hand_out(answer.rows)

        return hand_out

    async def run(self) -> None:
        """Hand out events until cancelled."""
        wait = self._poll
        while True:
            try:
                await self._read_on()
                wait = self._poll
            except Exception as error:
                log_trouble(log, "hub_waits", error)
                wait = min(wait * 2, _BROKEN)
            stop_if_cancelled()
            await self._rest(wait)

    @asynccontextmanager
    async def subscribe(
        self,
        tenant: Tenant,
        topics: Sequence[str],
        *,
        after: int | None = None,
        wanted: Wanted | None = None,
    ) -> AsyncIterator[Subscription]:
        """Subscribe to topics of the tenant's organization while the block lasts; as `join`."""
        subscription = await self.join(tenant, topics, after=after, wanted=wanted)
        try:
            yield subscription
        finally:
            self.leave(subscription)

    async def join(
        self,
        tenant: Tenant,
        topics: Sequence[str],
        *,
        after: int | None = None,
        wanted: Wanted | None = None,
    ) -> Subscription:
        """Subscribe until `leave`; `wanted` may hold events back from this subscriber.

        From now on, or after a position that was seen within 24 hours. What was committed before
        the call and is not yet published is handed out too. Raises `InputInvalid` or
        `RowMissing` for a topic, `CursorInvalid` for a position that is too old or was never given.
        """
        await self.check(tenant, topics)
        keys = [(tenant.organization_id, topic) for topic in sorted(set(topics))]

        async def read(position: int) -> list[Event] | None:
            return await self._read_topics(tenant, [topic for _, topic in keys], position)

        subscription = Subscription(read, lambda: self._handed_out, self._queue, wanted)
        self._topics[subscription] = keys
        # Joined before the bounds are read: whatever is offered meanwhile is noted.
        for key in keys:
            self._subscribers[key].add(subscription)
        try:
            await self._begin(subscription, after)
        except BaseException:
            self.leave(subscription)
            raise
        return subscription

    @property
    def subscriptions(self) -> int:
        """How many there are now."""
        return len(self._topics)

    async def check(self, tenant: Tenant, topics: Sequence[str]) -> None:
        """Raise `InputInvalid` or `RowMissing` for a topic that `join` would refuse."""
        await check_topics(self._checks, tenant, topics)

    def leave(self, subscription: Subscription, topic: str | None = None) -> None:
        """End a subscription, or its part in one topic; more than once does no harm."""
        keys = self._topics.get(subscription, [])
        for key in [key for key in keys if topic is None or key[1] == topic]:
            keys.remove(key)
            self._subscribers[key].discard(subscription)
            if not self._subscribers[key]:
                del self._subscribers[key]
        if not keys:
            subscription.end()
            self._topics.pop(subscription, None)
        if not self._subscribers:
            self._position = None

    def signal(self, event: Event) -> None:
        """Show an event without a position to who is there, on this process alone."""
        burst = Burst([event])
        for subscription in list(self._subscribers.get((event.organization_id, event.topic), ())):
            _give(subscription, subscription.show, burst)

    async def _begin(self, subscription: Subscription, after: int | None) -> None:
        async with self._database.system_batch(repeatable=True) as batch:
            answer = batch.add(sql.outbox_bounds, row=_Bounds)
        bounds = answer.one()
        start = bounds.last_position if after is None else after
        if not bounds.resumable_from <= start <= bounds.last_position:
            raise CursorInvalid("Events after that position are no longer kept; start anew.")
        if self._position is None:
            self._position = self._handed_out = bounds.last_position
        behind = after is not None or self._position > start
        subscription.begin(start, behind=behind, last=bounds.last_position)
        self.wake()

    async def _read_on(self) -> None:
        """Read and hand out everything after the hub's position."""
        while (start := self._position) is not None:
            async with self._database.system_batch(repeatable=True) as batch:
                answer = batch.add(sql.events_after, {"after": start, "max": _PAGE}, row=Event)
            if self._position != start:
                continue  # everybody left meanwhile and others came
            self._hand_out(answer.rows)
            if len(answer.rows) < _PAGE:
                return

    def _hand_out(self, events: list[Event]) -> None:
        if not events:
            return
        self._position = events[-1].position
        by_topic: defaultdict[_Key, list[Event]] = defaultdict(list)
        for event in events:
            by_topic[event.organization_id, event.topic].append(event)
        reached: defaultdict[Subscription, list[_Key]] = defaultdict(list)
        # Who may hear is settled before anything is heard.
        for key in sorted(by_topic, key=_is_of_rights, reverse=True):
            for subscription in self._subscribers.get(key, ()):
                reached[subscription].append(key)
        page = Page()
        bursts: dict[tuple[_Key, ...], Burst] = {}
        for subscription, keys in reached.items():
            topics = tuple(keys)
            if topics not in bursts:
                found = [event for key in topics for event in by_topic[key]]
                bursts[topics] = Burst(sorted(found, key=_place), page)
            _give(subscription, subscription.offer, bursts[topics])
        self._handed_out = events[-1].position

    async def _read_topics(
        self, tenant: Tenant, topics: list[str], after: int
    ) -> list[Event] | None:
        async with self._database.tenant_batch(tenant, repeatable=True) as batch:
            params = {"topics": topics, "after": after, "max": _PAGE, "bytes": _PAGE_BYTES}
            answer = batch.add(sql.topic_events_after, params, row=Event)
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


def _give(subscription: Subscription, give: Callable[[Burst], None], burst: Burst) -> None:
    try:
        give(burst)
    except Exception:
        # A sink may be anybody's; whatever is wrong with one, the others get theirs.
        log.exception("subscriber_failed")
        subscription.end(dropped=True)
