"""Brings what was changed, in any process, to the cache of this one.

Triggers write the drops into the outbox, with the change; the relay numbers them and sends one hint
for all that came together. Hints only say when to look: what is new is read by position, so none is
missed while the connection that listens is there. Without it the cache is off.
"""

import asyncio
from uuid import UUID

import msgspec
import structlog

from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.realtime.duty import log_trouble, stop_if_cancelled
from tidings.recall.cache import Recall

sql = load_queries("tidings.recall")

_PAGE = 500
_POLL = 5.0  # seconds between looks that no hint asked for
_LATE = 1.0  # seconds that a look may take before what is remembered is no longer trusted
_BROKEN = 1.0  # seconds between looks while the database does not answer

log = structlog.get_logger(__name__)


class _Drop(msgspec.Struct, frozen=True):
    organization_id: UUID
    tags: list[str]
    position: int


class _Bounds(msgspec.Struct, frozen=True):
    resumable_from: int
    last_position: int


class Invalidations:
    """Drops from a process's cache what was changed; `wake` and `lost` are for `Listener`."""

    def __init__(
        self, database: Database, recall: Recall, *, poll: float = _POLL, page: int = _PAGE
    ) -> None:
        """`poll` is in seconds; `page` is how many drops one look reads at a time."""
        self._database = database
        self._recall = recall
        self._poll = poll
        self._page = page
        self._listens = False
        self._position: int | None = None  # None: look anew, remember nothing from before
        self._distrust = 0  # how often all was forgotten: a look that it meets is void
        self._hint = asyncio.Event()

    def wake(self, payload: str) -> None:
        """Look now; an empty payload says that listening began (again)."""
        if not payload:
            self._forget()
            self._listens = True
        self._hint.set()

    def lost(self) -> None:
        """Say that nobody listens any more: everything is forgotten until somebody does."""
        self._listens = False
        self._forget()

    async def run(self) -> None:
        """Follow the changes until cancelled."""
        try:
            while True:
                wait = await self._step()
                stop_if_cancelled()
                await self._rest(wait)
        finally:
            self._forget()

    async def _step(self) -> float:
        """Look once, if somebody listens; the seconds until the next look without a hint."""
        self._hint.clear()
        if not self._listens:
            return self._poll
        late = asyncio.get_running_loop().call_later(_LATE, self._forget)
        try:
            await self._look()
        except Exception as error:
            log_trouble(log, "recall_waits", error)
            self._forget()
            return _BROKEN
        finally:
            late.cancel()
        return self._poll if self._position is not None else 0

    async def _look(self) -> None:
        """Read and apply the drops after the position; the first look only learns the position."""
        while True:
            distrust, after = self._distrust, self._position
            async with self._database.system_batch(repeatable=True) as batch:
                # Before the drops, so that none up to it is missed.
                outbox = batch.add(sql.bounds, row=_Bounds)
                if after is not None:
                    found = batch.add(
                        sql.drops_after, {"after": after, "max": self._page}, row=_Drop
                    )
            if self._distrust != distrust:
                return
            bounds = outbox.one()
            if after is None:
                self._position = bounds.last_position
                self._recall.turn_on()
                return
            if bounds.resumable_from > after:
                log.warning("recall_missed_changes")
                self._forget()
                return
            for drop in found.rows:
                self._recall.drop(drop.organization_id, drop.tags)
                self._position = drop.position
            if len(found.rows) < self._page:
                self._position = max(self._position or 0, bounds.last_position)
                return

    def _forget(self) -> None:
        self._distrust += 1
        self._position = None
        self._recall.turn_off()

    async def _rest(self, wait: float) -> None:
        try:
            async with asyncio.timeout(wait):
                await self._hint.wait()
        except TimeoutError:
            return
