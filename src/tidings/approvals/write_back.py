"""What was sent in a channel becomes a message of it, in the transaction that marks it as sent."""

from contextlib import suppress
from datetime import datetime
from uuid import UUID

import msgspec

from tidings.base.errors import StateConflict
from tidings.db.queries import load_queries
from tidings.db.transaction import Transaction
from tidings.messages.ingest import ingest_in
from tidings.messages.item import MessageItem, Sender
from tidings.messages.references import bare

sql = load_queries("tidings.approvals")

_LONGEST_ID = 500
# RFC 3834: our own machine wrote it.
_AUTOMATIC: dict[str, str | list[str]] = {"auto-submitted": "auto-replied"}


class _Sent(msgspec.Struct, frozen=True, kw_only=True):
    channel_id: UUID
    channel: str
    subject: str
    content: str
    is_automatic: bool
    sent_at: datetime
    idempotency_key: UUID
    provider_id: str | None
    reply_to: str | None
    organization_id: str
    organization_name: str
    person_email: str | None
    person_name: str | None


async def write_back(
    transaction: Transaction, approval_id: UUID, *, address: str | None = None
) -> None:
    """Add a sent approval to the thread that it answers in; nothing for one in no channel.

    `address` is where it was sent from, if from one. Again changes nothing: it has the id by which
    the other side knows it, under which a copy that comes back is the same message. No rule
    answers what goes out. An archived channel stays as it is.
    """
    sent = await transaction.optional(sql.sent_in_channel, {"id": approval_id}, row=_Sent)
    if sent is not None:
        with suppress(StateConflict):
            await ingest_in(transaction, sent.channel_id, [_message(sent, address)])


def _message(sent: _Sent, address: str | None) -> MessageItem:
    who = address or sent.person_email or sent.organization_id
    return MessageItem(
        external_id=_external_id(sent),
        sender=Sender(
            id=who,
            name=(sent.person_name or sent.organization_name)[:200],
            email=who if "@" in who else None,
        ),
        direction="out",
        body=sent.content,
        sent_at=sent.sent_at,
        reply_to=sent.reply_to,
        subject=sent.subject,
        headers=_AUTOMATIC if sent.is_automatic else {},
    )


def _external_id(sent: _Sent) -> str:
    """The Message-ID of mail, which is made of our key; else the key, which gateways are given."""
    key = str(sent.idempotency_key)
    provided = bare(sent.provider_id or "")
    return provided if provided.startswith(f"{key}@") and len(provided) <= _LONGEST_ID else key
