"""Events, written in the transaction of what they tell of.

The relay (`relay.py`) numbers them once they are committed; `subscribe.py` hands them out.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from tidings.base.errors import BodyTooLarge, InputInvalid
from tidings.base.text import check_text, find_bad_text
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Statements

LONGEST_PAYLOAD = 256 * 1024  # bytes of JSON
LONGEST_TOPIC = 512  # bytes
_SWEEP_BATCH = 5_000

_encoder = msgspec.json.Encoder()

sql = load_queries("tidings.realtime")


class Event(msgspec.Struct, frozen=True):
    """One published event. `position` is its place in publishing order; readers resume by it.

    0 is that of a signal, which is shown once and cannot be resumed.
    """

    organization_id: UUID
    id: UUID
    topic: str
    event: str
    payload: Any
    created_at: datetime
    position: int


def publish(statements: Statements, topic: str, event: str, payload: Any) -> None:
    """Add an event to the caller's transaction; it is seen once that commits.

    `payload` is anything msgspec writes as JSON, up to 256 KiB. Raises `InputInvalid` for text that
    PostgreSQL cannot keep and `BodyTooLarge` for more.
    """
    encoded = encode_payload(payload)
    if len(encoded) > LONGEST_PAYLOAD:
        raise BodyTooLarge("An event carries at most 256 KiB; send an id and let readers fetch.")
    statements.queue(
        sql.publish,
        {
            "topic": check_text("topic", topic),
            "event": check_text("event", event),
            "payload": encoded.decode(),
        },
    )


def encode_payload(payload: Any) -> bytes:
    """The payload as JSON. Raises `InputInvalid` for text that PostgreSQL cannot keep."""
    try:
        encoded = _encoder.encode(payload)
    except UnicodeEncodeError:
        encoded = b""
    # Only what spells the escape of a NUL, or could not be written at all, has to be searched.
    if not encoded or b"\\u0000" in encoded:
        problem = find_bad_text(msgspec.to_builtins(payload), "payload")
        if problem is not None:
            raise InputInvalid(f"{problem.field} {problem.message}.", errors=[problem])
    return encoded


async def sweep_outbox(database: Database) -> int:
    """Delete the events that were published more than 24 hours ago, in batches; how many went."""
    total = 0
    while True:
        async with database.system_batch(repeatable=True) as batch:
            swept = batch.add(sql.sweep_outbox, {"max": _SWEEP_BATCH})
        gone: int = swept.value()
        total += gone
        if gone < _SWEEP_BATCH:
            return total
