"""What goes out by any way, and what it came to."""

from typing import Literal, Protocol
from uuid import UUID

import msgspec

Result = Literal["sent", "temporary", "refused", "unknown"]


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """One message as it was approved.

    `idempotency_key` is the same at every try of it. `in_reply_to` and `in_references` are ids of
    the message that it answers, as its source gave them. `unsubscribe_url` ends mail to the
    recipient with one POST.
    """

    idempotency_key: UUID
    type: str
    channel: str
    recipient: str
    subject: str
    content: str
    attempt: int = 1
    is_automatic: bool = False
    in_reply_to: str | None = None
    in_references: str | None = None
    unsubscribe_url: str | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What a try came to.

    `temporary`: certainly nothing left, another try may help; `refused`: nothing left and it
    never will; `unknown`: it may have left. `provider_id` is what the other side calls it,
    `retry_after` the seconds that it asked to wait.
    """

    result: Result
    detail: str = ""
    provider_id: str | None = None
    retry_after: float | None = None


class Connector(Protocol):
    """A way out.

    `is_repeatable` is whether the other side takes our idempotency key, so that a send without an
    answer may be repeated; `address` is whom it sends as, where that is an address.
    """

    is_repeatable: bool

    @property
    def address(self) -> str | None:
        """The bare address that messages come from."""

    async def send(self, message: Outgoing) -> Outcome:
        """Try once; never raises for what the other side does."""
