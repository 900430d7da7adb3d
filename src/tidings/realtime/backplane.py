"""What processes tell each other: that something was published, and signals.

Nothing depends on it: a hub reads by position and looks now and then by itself, so a message that
is lost costs a moment; a signal may be lost anyway.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

import msgspec
import structlog

from tidings.base.ids import uuid7
from tidings.db.listen import Listener
from tidings.db.transaction import Database
from tidings.realtime.duty import log_trouble
from tidings.realtime.outbox import Event, sql
from tidings.realtime.subscribe import CHANNEL, Hub

SIGNALS = "tidings_signals"
"""The channel of signals; one is at most 4 KiB, and a NOTIFY carries 8,000 bytes."""

MOST_WAITING = 1_000
"""Messages that wait to be sent; older ones are dropped."""

log = structlog.get_logger(__name__)


class Backplane(Protocol):
    """A way to the other processes of a deployment."""

    async def run(self) -> None:
        """Hear and tell until cancelled."""

    def published(self, position: int) -> None:
        """Say that everything up to a position can be read."""

    def show(self, event: Event) -> None:
        """Pass a signal on."""


class Outgoing:
    """Messages on their way out; when they cannot leave, the oldest are dropped."""

    def __init__(self) -> None:
        """Empty."""
        self._waiting: deque[tuple[str, bytes]] = deque(maxlen=MOST_WAITING)
        self._some = asyncio.Event()

    def put(self, kind: str, message: bytes) -> None:
        """Add one."""
        self._waiting.append((kind, message))
        self._some.set()

    async def take(self) -> list[tuple[str, bytes]]:
        """All that wait, at least one."""
        await self._some.wait()
        self._some.clear()
        taken = list(self._waiting)
        self._waiting.clear()
        return taken


class Signals:
    """Signals as bytes that name the process they come from, which has shown them already."""

    def __init__(self, hub: Hub) -> None:
        """Shows what others send to who is at this hub."""
        self._hub = hub
        self._node = str(uuid7())

    def encode(self, event: Event) -> bytes:
        """The signal for the others."""
        return msgspec.json.encode((self._node, event))

    def hear(self, message: str | bytes) -> None:
        """Show somebody else's signal; what is none is left alone."""
        if not message:
            return
        try:
            node, event = msgspec.json.decode(message, type=tuple[str, Event])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            log.warning("backplane_heard_nonsense")
            return
        if node != self._node:
            self._hub.signal(event)


class PostgresBackplane:
    """NOTIFY: nothing to run beside the database. The relay's own statement says what is new."""

    def __init__(self, database: Database, listen_url: str, hub: Hub) -> None:
        """`listen_url` is direct, not through a pooler."""
        self._database = database
        self._signals = Signals(hub)
        self._outgoing = Outgoing()
        channels: dict[str, Callable[[str], None]] = {
            CHANNEL: hub.wake,
            SIGNALS: self._signals.hear,
        }
        self._listener = Listener(listen_url, channels)

    async def run(self) -> None:
        """Hear and tell until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listener.run())
            tasks.create_task(self._tell())

    def published(self, position: int) -> None:
        """Nothing: the statement that published has notified."""

    def show(self, event: Event) -> None:
        """Pass a signal on; those that come together share a commit."""
        self._outgoing.put(SIGNALS, self._signals.encode(event))

    async def _tell(self) -> None:
        while True:
            taken = await self._outgoing.take()
            try:
                messages = [message.decode() for _, message in taken]
                async with self._database.system_batch() as batch:
                    batch.queue(sql.notify_all, {"channel": SIGNALS, "messages": messages})
            except Exception as error:
                log_trouble(log, "signals_lost", error)
