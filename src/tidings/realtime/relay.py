"""The relay: numbers committed events in publishing order and wakes the subscribers.

Any number of processes run one. The lease says which of them polls; the lock of the lease's row
says who publishes, one at a time, so that positions become visible in order. A process that has
just written an event calls `nudge()`, and its relay publishes at once, with the lease or without.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from datetime import timedelta

import msgspec
import structlog

from tidings.base.ids import uuid7
from tidings.db.transaction import Batch, Database, Pending
from tidings.realtime.backplane import Backplane
from tidings.realtime.duty import log_trouble, stop_if_cancelled
from tidings.realtime.outbox import Event, sql
from tidings.realtime.subscribe import Hub

LEASE = timedelta(seconds=5)
_BATCH = 1_000
_QUICK = 0.02  # seconds between turns while events keep coming: several share one wake-up
_PACE = 0.005  # … while writers nudge faster than turns are made
_IDLE = 0.25  # … while none come
_STANDBY = 1.0  # … while another process has the lease
_BROKEN = 5.0  # … at most, while the database does not answer
_FAREWELL = 1.0  # seconds that giving up the lease may take

log = structlog.get_logger(__name__)


class Turn(msgspec.Struct, frozen=True):
    """What one turn of the relay did."""

    is_leader: bool
    published: int
    last_position: int | None


class RelayState(msgspec.Struct, frozen=True):
    """Who relays; `waiting_seconds` is the age of the oldest unpublished event, if there is one."""

    worker: str | None
    is_held: bool
    waiting_seconds: float | None


async def relay_state(database: Database) -> RelayState:
    """The relay of this deployment, whichever process runs it: one round trip."""
    async with database.system_batch(repeatable=True) as batch:
        state = batch.add(sql.relay_state, row=RelayState)
    return state.one()


class Ride:
    """A turn on its way in a batch."""

    def __init__(
        self,
        turn: Pending[Turn],
        hand_out: Callable[[], None] | None,
        backplane: Backplane | None,
    ) -> None:
        """Made by `Relay.ride`."""
        self._turn = turn
        self._hand_out = hand_out
        self._backplane = backplane

    def arrive(self) -> Turn:
        """What the turn did, once the batch has ended; the hub hands out what it brought."""
        turn = self._turn.one()
        if self._hand_out is not None:
            self._hand_out()
        if self._backplane is not None and turn.published:
            assert turn.last_position is not None
            self._backplane.published(turn.last_position)
        return turn


class Relay:
    """The relay of one process."""

    def __init__(
        self,
        database: Database,
        *,
        lease: timedelta = LEASE,
        batch: int = _BATCH,
        hub: Hub | None = None,
        backplane: Backplane | None = None,
    ) -> None:
        """`batch` events at most are published in one turn.

        The hub of the same process is given them in the round trip that publishes them; those of
        others hear of them by the backplane.
        """
        self._hub = hub
        self._backplane = backplane
        self._database = database
        self._lease = lease
        self._batch = batch
        self._worker = f"{socket.gethostname()[:100]}:{os.getpid()}:{uuid7()}"
        self._hint = asyncio.Event()

    def nudge(self) -> None:
        """Say that this process has committed an event."""
        self._hint.set()

    async def run(self) -> None:
        """Relay until cancelled; then give the lease up."""
        wait = _QUICK
        try:
            while True:
                wait = await self._step(wait)
                stop_if_cancelled()
                await self._rest(wait)
        finally:
            await self._release()

    async def turn(self, *, hinted: bool = False) -> Turn:
        """Publish one batch; `hinted` also without the lease. Safe to repeat."""
        async with self._database.system_batch(repeatable=True) as batch:
            ride = self.ride(batch, hinted=hinted)
        return ride.arrive()

    def ride(self, batch: Batch, *, hinted: bool = True) -> "Ride":
        """A turn within somebody's batch, behind the events they write; `arrive` ends it.

        They are published by the commit that makes them durable, in one round trip.
        """
        params = {
            "worker": self._worker,
            "max": self._batch,
            "lease": self._lease,
            "hinted": hinted,
        }
        turn = batch.add(sql.relay, params, row=Turn)
        hand_out = self._hub.read_along(batch) if self._hub is not None else None
        return Ride(turn, hand_out, self._backplane)

    def show(self, event: Event) -> None:
        """Show a signal to everybody who is there, on this process and the others."""
        if self._hub is not None:
            self._hub.signal(event)
        if self._backplane is not None:
            self._backplane.show(event)

    async def _step(self, wait: float) -> float:
        """One turn; the seconds until the next."""
        hinted = self._hint.is_set()
        self._hint.clear()
        try:
            turn = await self.turn(hinted=hinted)
        except Exception as error:
            log_trouble(log, "relay_waits", error)
            return min(max(wait, _QUICK) * 2, _BROKEN)
        if turn.published == self._batch:
            return 0
        if turn.published:
            # Who nudges all the time waits for the others: one turn costs what it brings.
            await asyncio.sleep(_PACE if self._hint.is_set() else 0)
            return _QUICK
        if not turn.is_leader:
            return _STANDBY
        return min(max(wait, _QUICK) * 2, _IDLE)

    async def _rest(self, wait: float) -> None:
        try:
            async with asyncio.timeout(wait):
                await self._hint.wait()
        except TimeoutError:
            return

    async def _release(self) -> None:
        try:
            async with asyncio.timeout(_FAREWELL), self._database.system_batch() as batch:
                batch.queue(sql.release_relay, {"worker": self._worker})
        except Exception as error:
            log.info("relay_lease_left_to_expire", worker=self._worker, error=type(error).__name__)
