"""A message on its way out."""

from typing import Any

import msgspec

from tidings.base.ids import uuid7
from tidings.connectors.outgoing import Outgoing

SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQ="


def make_outgoing(**changes: Any) -> Outgoing:
    """A mail to Bo, with these fields changed."""
    plain = Outgoing(
        idempotency_key=uuid7(),
        type="message",
        channel="email",
        recipient="bo@example.com",
        subject="Your question",
        content="Yes.\n.\nIt does – often.\n",
    )
    return msgspec.structs.replace(plain, **changes)
