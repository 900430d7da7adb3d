"""An event as every door shows it."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from tidings.realtime.outbox import Event

_encoder = msgspec.json.Encoder()


class Happened(msgspec.Struct, frozen=True, tag="event", omit_defaults=True):
    """An event. Resume its topic after its `position`; one without it was ephemeral."""

    topic: str
    event: str
    payload: Any
    id: UUID
    at: datetime
    position: int = 0


def encode_event(event: Event) -> bytes:
    """The event as JSON."""
    return _encoder.encode(
        Happened(
            event.topic, event.event, event.payload, event.id, event.created_at, event.position
        )
    )
