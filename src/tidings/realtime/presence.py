"""Who is in a room: a row for each connection, renewed by the process that holds it.

Whoever comes, goes or shows something else is published to the room by a trigger, as `presence`
events in the order of everything else; so is who went because their process died.
"""

import asyncio
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog

from tidings.base.errors import BodyTooLarge, FieldProblem, InputInvalid
from tidings.base.ids import uuid7
from tidings.base.nesting import DEEPEST, is_too_deep
from tidings.base.tenant import Tenant
from tidings.base.text import check_text, find_bad_text
from tidings.db.transaction import Batch, Database
from tidings.realtime.duty import log_trouble, stop_if_cancelled
from tidings.realtime.outbox import LONGEST_TOPIC, sql
from tidings.realtime.rooms import SHOWS_PRESENCE

LEASE = timedelta(seconds=30)
RENEWAL = 10.0  # seconds between renewals
LONGEST_STATE = 4 * 1024  # bytes of JSON
EVENT = "presence"  # what the trigger publishes; nobody else may

log = structlog.get_logger(__name__)


class Present(msgspec.Struct, frozen=True):
    """One connection of a person in a room, and what they show of themselves there."""

    id: UUID
    user_id: UUID
    name: str
    state: Any
    since: datetime


class _Held(msgspec.Struct, frozen=True, eq=False):
    """What a connection shows in a room."""

    tenant: Tenant
    state: str


class Presences:
    """Of the connections of one process."""

    def __init__(self, database: Database, *, lease: timedelta = LEASE) -> None:
        """Who is not renewed for a `lease` has gone. Nudge the relay after `show` and `hide`."""
        self._database = database
        self._lease = lease
        self._node = uuid7()
        self._held: dict[tuple[UUID, str], _Held] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Renew what this process holds, and remove what nobody renews, until cancelled."""
        while True:
            try:
                await self.renew()
            except Exception as error:
                log_trouble(log, "presence_waits", error)
            stop_if_cancelled()
            await asyncio.sleep(RENEWAL)

    async def renew(self) -> int:
        """One round of `run`; how many of what this process holds were there to renew.

        What is not there any more, because nobody could renew it in time, is shown again.
        """
        held = dict(self._held)
        params = {
            "node": self._node,
            "connections": [connection for connection, _ in held],
            "topics": [topic for _, topic in held],
            "lease": self._lease,
        }
        async with self._database.system_batch(repeatable=True) as batch:
            answer = batch.add(sql.renew_presences, params)
        renewed: int = answer.value()
        if renewed < len(held):
            await self._show_again(held)
        return renewed

    async def show(self, tenant: Tenant, topic: str, connection: UUID, state: Any) -> None:
        """Come into a room, or show another state there: any JSON of at most 4 KiB.

        Raises `InputInvalid` for a topic that is no room or text that cannot be kept.
        """
        prefix, _, rest = topic.partition(":")
        if prefix not in SHOWS_PRESENCE or not rest:
            problem = FieldProblem("topic", "is no room")
            raise InputInvalid(
                f"{topic} {problem.message}; take room:… or brainstorm:….", errors=[problem]
            )
        check_text("topic", topic, octets=LONGEST_TOPIC)
        problem_of_state = find_bad_text(state, "state")
        if is_too_deep(state):
            problem_of_state = FieldProblem("state", f"is nested deeper than {DEEPEST} levels")
        if problem_of_state is not None:
            raise InputInvalid(errors=[problem_of_state])
        encoded = msgspec.json.encode(state)
        if len(encoded) > LONGEST_STATE:
            raise BodyTooLarge("A state is at most 4 KiB of JSON.")
        key = (connection, topic)
        before, held = self._held.get(key), _Held(tenant, encoded.decode())
        self._held[key] = held
        try:
            async with self._database.tenant_batch(tenant, repeatable=True) as batch:
                self._queue(batch, key, held)
        except BaseException:
            # Unless it was left, or something else shown, meanwhile.
            if self._held.get(key) is held:
                del self._held[key]
                if before is not None:
                    self._held[key] = before
            raise

    async def hide(self, tenant: Tenant, connection: UUID, topics: list[str] | None = None) -> None:
        """Leave rooms, or all of them; who was not there is no error.

        Should it fail they are left all the same, once the lease has ended.
        """
        self._drop(connection, topics)
        async with self._database.tenant_batch(tenant, repeatable=True) as batch:
            batch.queue(sql.hide_presence, {"id": connection, "topics": topics})

    def hide_soon(self, tenant: Tenant, connection: UUID) -> None:
        """As `hide`, for a connection that is gone and waits for nothing."""
        self._drop(connection, None)
        task = asyncio.get_running_loop().create_task(self._hide_or_expire(tenant, connection))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def who(self, tenant: Tenant, topic: str) -> list[Present]:
        """Who is in a room, in the order they came: one round trip."""
        async with self._database.tenant_batch(tenant, repeatable=True) as batch:
            answer = batch.add(sql.list_presences, {"topic": topic}, row=Present)
        return answer.rows

    def _drop(self, connection: UUID, topics: list[str] | None) -> None:
        held = [topic for one, topic in self._held if one == connection]
        for topic in held if topics is None else topics:
            self._held.pop((connection, topic), None)

    def _queue(self, batch: Batch, key: tuple[UUID, str], held: _Held) -> None:
        params = {
            "topic": key[1],
            "id": key[0],
            "state": held.state,
            "node": self._node,
            "lease": self._lease,
        }
        batch.queue(sql.show_presence, params)

    async def _show_again(self, held: dict[tuple[UUID, str], _Held]) -> None:
        by_tenant: defaultdict[Tenant, list[tuple[UUID, str]]] = defaultdict(list)
        for key, one in held.items():
            by_tenant[one.tenant].append(key)
        for tenant, keys in by_tenant.items():
            # One person's may be refused, who is no member any more; the others' come back.
            try:
                async with self._database.tenant_batch(tenant, repeatable=True) as batch:
                    for key in keys:
                        if self._held.get(key) is held[key]:
                            self._queue(batch, key, held[key])
            except Exception as error:
                log_trouble(log, "presence_not_shown_again", error)

    async def _hide_or_expire(self, tenant: Tenant, connection: UUID) -> None:
        try:
            await self.hide(tenant, connection)
        except Exception as error:
            log_trouble(log, "presence_left_to_expire", error)
