"""A bridge: events of chosen topics are forwarded to a Supabase Realtime endpoint.

One process at a time forwards, from the position that was reached last: whoever takes over
repeats little and loses nothing. Topics name their organization: `{organization}:{topic}`, private.
"""

import asyncio
import os
import random
import socket
from collections.abc import Sequence
from datetime import timedelta

import httpx
import msgspec
import structlog

from tidings.base.authorities import authorities
from tidings.base.ids import uuid7
from tidings.db.transaction import Database
from tidings.realtime.duty import log_trouble, stop_if_cancelled
from tidings.realtime.outbox import Event, sql

NAME = "supabase"
LEASE = timedelta(seconds=15)
_PAGE = 100
_IDLE = 1.0  # seconds between looks while there is nothing to forward, or another process does
_PAUSE_MOST = 30.0  # … while the endpoint does not answer
_TIMEOUT = 5.0  # seconds one request may take; well below the lease
_REFUSED = frozenset({400, 413, 422})
"""Answers to a message that will never be taken: it is left out, not tried for ever."""

log = structlog.get_logger(__name__)


class _Message(msgspec.Struct, frozen=True):
    topic: str
    event: str
    payload: object
    private: bool = True


class SupabaseBridge:
    """Forwards the broadcasts and events of one deployment."""

    def __init__(
        self,
        database: Database,
        url: str,
        key: str,
        prefixes: Sequence[str],
        *,
        client: httpx.AsyncClient | None = None,
        lease: timedelta = LEASE,
    ) -> None:
        """`url` is the project's; `key` its service key; `prefixes` those of the topics to forward.

        Endpoint: `POST {url}/realtime/v1/api/broadcast`, as Supabase documents it.
        """
        self._database = database
        self._address = f"{url.rstrip('/')}/realtime/v1/api/broadcast"
        self._headers = {
            "apikey": key,
            "authorization": f"Bearer {key}",
            "content-type": "application/json",
        }
        self._prefixes = frozenset(prefixes)
        self._client = client or httpx.AsyncClient(timeout=_TIMEOUT, verify=authorities())
        self._lease = lease
        self._worker = f"{socket.gethostname()[:100]}:{os.getpid()}:{uuid7()}"

    async def run(self) -> None:
        """Forward until cancelled."""
        reached: int | None = None
        pause = _IDLE
        async with self._client:
            while True:
                try:
                    before, reached = reached, await self.turn(reached)
                    pause = 0 if reached is not None and reached != before else _IDLE
                except (httpx.HTTPError, TimeoutError) as error:
                    log.warning("bridge_waits", error=type(error).__name__)
                    pause = _longer(pause)
                except Exception as error:
                    log_trouble(log, "bridge_waits", error)
                    pause = _longer(pause)
                stop_if_cancelled()
                await asyncio.sleep(pause)

    async def turn(self, reached: int | None) -> int | None:
        """Note what was reached and forward the next page; None while another process forwards.

        Raises `httpx.HTTPError` or `TimeoutError` when the endpoint did not take it; then it is
        tried again.
        """
        start = await self._hold(reached)
        if start is None:
            return None
        async with self._database.system_batch(repeatable=True) as batch:
            answer = batch.add(sql.events_after, {"after": start, "max": _PAGE}, row=Event)
        chosen = [e for e in answer.rows if e.topic.partition(":")[0] in self._prefixes]
        if chosen and not await self._forward(chosen):
            return None
        return answer.rows[-1].position if answer.rows else start

    async def _hold(self, reached: int | None) -> int | None:
        """Note what was reached; where to go on from, None while another process forwards."""
        params = {"name": NAME, "worker": self._worker, "lease": self._lease, "reached": reached}
        async with self._database.system_batch(repeatable=True) as batch:
            held = batch.add(sql.hold_bridge, params)
        start: int | None = held.value()
        return start

    async def _forward(self, events: Sequence[Event]) -> bool:
        """Send events; False when another process has come to forward them."""
        messages = [_Message(f"{e.organization_id}:{e.topic}", e.event, e.payload) for e in events]
        body = msgspec.json.encode({"messages": messages})
        async with asyncio.timeout(_TIMEOUT):
            answer = await self._client.post(self._address, content=body, headers=self._headers)
        if answer.status_code not in _REFUSED:
            answer.raise_for_status()
        elif len(events) == 1:
            log.warning("bridge_left_out", topic=events[0].topic, status=answer.status_code)
        else:
            # One of them is not taken, and with it none: each for itself, which may take longer
            # than the lease lasts.
            for event in events:
                if await self._hold(event.position - 1) is None:
                    return False
                await self._forward([event])
        return True


def _longer(pause: float) -> float:
    return min(max(pause, _IDLE) * 2, _PAUSE_MOST) * random.uniform(0.5, 1)  # noqa: S311 - jitter
