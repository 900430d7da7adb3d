"""Watching a prefix.

Writers publish a change only if somebody watches its key (trigger `kv_announce`), so a watch has to
be known to every writer before it begins. A writer writes first, which gives its transaction an id,
and then looks at `kv_watches` with a fresh snapshot. The watcher commits its row, takes a
transaction id of its own (the barrier), and waits until every transaction up to it has ended: a
writer that did not see the row had its id by then, and has ended now, so that whoever reads the
keys after the watch began sees what it wrote.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal
from uuid import UUID

import msgspec
import structlog

from tidings.base.errors import CursorInvalid, DatabaseBusy
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.kv.keys import check_prefix
from tidings.kv.values import restore_floats
from tidings.realtime.duty import log_trouble, stop_if_cancelled
from tidings.realtime.subscribe import Hub
from tidings.realtime.subscription import Subscription
from tidings.realtime.topics import TopicChecks, any_member

TOPIC = "kv"
TOPICS: TopicChecks = {TOPIC: any_member}
"""What the hub has to know for watches to work."""

HEARTBEAT = 20.0  # seconds between renewals of a watch, which lapses without one for a minute
PATIENCE = 10.0  # seconds to wait for writers that were under way when the watch began

log = structlog.get_logger(__name__)
sql = load_queries("tidings.kv")


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key was set or deleted, or its expiry was noticed (op `delete`).

    `value` is left out of a delete and when it is larger than 16 KiB; read the key then. `position`
    is where to resume. Changes of a key come in order of version, at least once.
    """

    op: Literal["set", "delete"]
    key: str
    version: int
    position: int
    value: Any = msgspec.UNSET


class _Registration(msgspec.Struct, frozen=True):
    id: UUID
    since: int | None


class Watch:
    """An async iterator of changes. It ends when it cannot be complete any more.

    Then `dropped` is True; read the keys and watch again, after `position` or from anew.
    """

    def __init__(self, subscription: Subscription, prefix: str) -> None:
        """Made by `watch_prefix`."""
        self._subscription = subscription
        self._prefix = prefix

    @property
    def position(self) -> int:
        """Every change up to here was handed out."""
        return self._subscription.position

    @property
    def dropped(self) -> bool:
        """Whether the watch ended because changes may be missing."""
        return self._subscription.dropped

    def __aiter__(self) -> "Watch":
        """Itself."""
        return self

    async def __anext__(self) -> Change:
        """The next change. Cancelling the wait loses nothing."""
        while True:
            event = await anext(self._subscription)
            payload = event.payload
            if payload["key"].startswith(self._prefix):
                op: Literal["set", "delete"] = "delete" if event.event == "delete" else "set"
                value = restore_floats(payload["value"]) if "value" in payload else msgspec.UNSET
                return Change(op, payload["key"], payload["version"], event.position, value)


@asynccontextmanager
async def watch_prefix(
    database: Database, hub: Hub, tenant: Tenant, prefix: str, *, after: int | None = None
) -> AsyncIterator[Watch]:
    """Every change under a prefix that is committed after the block is entered.

    So read the keys inside the block to lose nothing. With `after`, a position that an earlier
    watch of the same prefix reached, it goes on from there; `CursorInvalid` when the prefix was
    not watched all the time since. Raises `DatabaseBusy` when a writer stays under way for 10 s.
    """
    check_prefix(prefix)
    watch = await _register(database, tenant, prefix)
    if after is not None and (watch.since is None or after < watch.since):
        raise CursorInvalid("Changes since that position were not kept; read the keys again.")
    if watch.since is None:
        await _confirm(database, tenant, prefix, watch.id)
    async with hub.subscribe(tenant, [TOPIC], after=after) as subscription:
        beat = asyncio.create_task(_keep(database, tenant, prefix, watch.id, subscription))
        try:
            yield Watch(subscription, prefix)
        finally:
            beat.cancel()
            await asyncio.wait([beat])


async def _register(database: Database, tenant: Tenant, prefix: str) -> _Registration:
    async with database.tenant_batch(tenant, repeatable=True) as batch:
        answer = batch.add(sql.kv_watch, {"prefix": prefix}, row=_Registration)
    return answer.one()


async def _confirm(database: Database, tenant: Tenant, prefix: str, watch_id: UUID) -> None:
    async with database.tenant_batch(tenant, repeatable=True) as batch:
        answer = batch.add(sql.kv_watch_barrier)
    barrier = answer.value()
    pause = 0.005
    try:
        async with asyncio.timeout(PATIENCE):
            while not await _has_passed(database, tenant, barrier):
                await asyncio.sleep(pause)
                pause = min(pause * 2, 0.25)
    except TimeoutError:
        raise DatabaseBusy(
            "A long transaction keeps the watch from starting; try again.", retry_after=5
        ) from None
    async with database.tenant_batch(tenant, repeatable=True) as batch:
        confirmed = batch.add(sql.kv_watch_confirm, {"prefix": prefix, "id": watch_id})
    if confirmed.value() is None:
        raise DatabaseBusy("The watch took too long to start; try again.", retry_after=1)


async def _has_passed(database: Database, tenant: Tenant, barrier: str) -> bool:
    async with database.tenant_batch(tenant, repeatable=True) as batch:
        answer = batch.add(sql.kv_watch_passed, {"barrier": barrier})
    return bool(answer.value())


async def _keep(
    database: Database, tenant: Tenant, prefix: str, watch_id: UUID, subscription: Subscription
) -> None:
    """Renew the watch until cancelled; end the subscription when it has lapsed."""
    while True:
        stop_if_cancelled()
        await asyncio.sleep(HEARTBEAT)
        try:
            async with database.tenant_batch(tenant, repeatable=True) as batch:
                answer = batch.add(sql.kv_watch_renew, {"prefix": prefix, "id": watch_id})
        except Exception as error:
            log_trouble(log, "watch_waits", error)
            continue
        if not answer.value():
            subscription.end(dropped=True)
            return
