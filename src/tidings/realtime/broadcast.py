"""What people send to a room: kept and numbered like every event, or shown once and forgotten."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from tidings.base.clock import now
from tidings.base.errors import BodyTooLarge, FieldProblem, InputInvalid
from tidings.base.ids import uuid7
from tidings.base.nesting import DEEPEST, is_too_deep
from tidings.base.tenant import Tenant
from tidings.base.text import check_text, find_bad_text
from tidings.db.gather import Gathering
from tidings.db.transaction import Database, Statements
from tidings.realtime.outbox import (
    LONGEST_PAYLOAD,
    LONGEST_TOPIC,
    Event,
    encode_payload,
    publish,
    sql,
)
from tidings.realtime.presence import EVENT as PRESENCE
from tidings.realtime.relay import Relay
from tidings.realtime.rooms import check_sender

CURSOR = "cursor"
LONGEST_EVENT = 100  # bytes
LONGEST_SIGNAL = 4 * 1024  # bytes of JSON: cursors and the like, not documents


class _Message(NamedTuple):
    topic: str
    event: str
    payload: bytes


class Broadcasts:
    """Sends for the people of one process."""

    def __init__(self, database: Database, relay: Relay) -> None:
        """The relay takes a turn in each commit, and shows signals."""
        self._database = database
        self._relay = relay
        self._gathering: Gathering[Tenant, _Message, None] = Gathering(
            self._write, size=lambda message: len(message.payload), most=500
        )

    async def send(self, tenant: Tenant, topic: str, event: str, payload: bytes) -> None:
        """Publish an event; it is durable on return. What is sent at once shares a commit.

        `payload` is JSON of at most 256 KiB. Raises as `check_sender`, `InputInvalid` for text that
        cannot be kept, `BodyTooLarge` for more.
        """
        check_sender(tenant, topic)
        _check(topic, event, payload, LONGEST_PAYLOAD)
        await self._gathering.ask(tenant, _Message(topic, event, payload))

    async def signal(self, tenant: Tenant, topic: str, event: str, payload: bytes) -> None:
        """Show an event of at most 4 KiB to who is there now; nothing of it is kept.

        It overtakes what is published, may be lost, and has no position. Raises as `send`.
        """
        check_sender(tenant, topic)
        _check(topic, event, payload, LONGEST_SIGNAL)
        self._show(tenant, topic, event, payload)

    def point(self, tenant: Tenant, topic: str, connection: UUID, at: Any) -> None:
        """Show where somebody points, as a signal `cursor`; None: nowhere.

        Whose it is, is written here: nobody points in another's name, and nobody else sends there.
        """
        told = {"id": connection, "user_id": tenant.user_id, "at": at}
        self._show(tenant, topic, CURSOR, encode_payload(told))

    def _show(self, tenant: Tenant, topic: str, event: str, payload: bytes) -> None:
        self._relay.show(
            Event(
                organization_id=tenant.organization_id,
                id=uuid7(),
                topic=topic,
                event=event,
                payload=msgspec.Raw(payload),
                created_at=now(),
                position=0,
            )
        )

    async def _write(self, tenant: Tenant, messages: Sequence[_Message]) -> Sequence[None]:
        async with self._database.tenant_batch(tenant) as batch:
            batch.queue(
                sql.publish_all,
                {
                    "topics": [message.topic for message in messages],
                    "events": [message.event for message in messages],
                    "payloads": [message.payload.decode() for message in messages],
                },
            )
            ride = self._relay.ride(batch)
        if ride.arrive().published != len(messages):
            self._relay.nudge()  # another relay was at work, or others wrote: there may be more
        return [None] * len(messages)


def send_in(statements: Statements, tenant: Tenant, topic: str, event: str, payload: Any) -> None:
    """As `Broadcasts.send`, in the caller's transaction; nudge the relay once it has committed."""
    check_sender(tenant, topic)
    _check(topic, event, encode_payload(payload), LONGEST_PAYLOAD)
    publish(statements, topic, event, payload)


def _check(topic: str, event: str, payload: bytes, longest: int) -> None:
    check_text("topic", topic, octets=LONGEST_TOPIC)
    if not check_text("event", event, octets=LONGEST_EVENT):
        raise InputInvalid("Name the event.")
    if event == PRESENCE:
        raise _invalid(FieldProblem("event", "is a name of the service's own"))
    if len(payload) > longest:
        raise BodyTooLarge(f"This carries at most {longest // 1024} KiB.")
    _check_payload(payload)


def _check_payload(payload: bytes) -> None:
    """Refuse what cannot be kept, or could not be read by everybody who is handed it."""
    try:
        value = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _invalid(FieldProblem("payload", "is no JSON that can be kept")) from error
    # Neither has to be looked for unless there are as many brackets, or an escape of either.
    if payload.count(b"[") + payload.count(b"{") > DEEPEST and is_too_deep(value):
        raise _invalid(FieldProblem("payload", f"is nested deeper than {DEEPEST} levels"))
    if b"\\u0000" in payload or b"\\ud" in payload or b"\\uD" in payload:
        problem = find_bad_text(value, "payload")
        if problem is not None:
            raise _invalid(problem)


def _invalid(problem: FieldProblem) -> InputInvalid:
    return InputInvalid(f"{problem.field} {problem.message}.", errors=[problem])
