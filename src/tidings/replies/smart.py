"""Two or three answers to one message, for a person to choose from."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from tidings.ai.gateway import Gateway
from tidings.base.errors import RowMissing
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.messages.quotes import own_words
from tidings.replies.compose import ANSWERS
from tidings.replies.propose import PROPOSE, Line, ToAnswer

sql = load_queries("tidings.replies")

_CONTEXT = 10
"""Messages that are shown to the engine, the answered one included."""


class SmartReplies(msgspec.Struct, frozen=True):
    """Answers that a person may take, and the engine that proposes them."""

    message_id: UUID
    answers: list[str]
    engine: str


async def said_before(
    db: Database, tenant: Tenant, message_ids: Sequence[UUID]
) -> dict[UUID, ToAnswer]:
    """Each message that the tenant sees with what was said before it; none costs no round trip."""
    if not message_ids:
        return {}
    params = {"message_ids": list(message_ids), "most": _CONTEXT}
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.messages_before, params)
    lines: dict[UUID, list[Line]] = {}
    for row in found.rows:
        line = Line(row["sender_name"] or row["sender_id"], own_words(row["body"]))
        lines.setdefault(row["message_id"], []).append(line)
    return {each: ToAnswer(last, tuple(rest)) for each, (*rest, last) in lines.items()}


async def smart_replies(
    db: Database, gateway: Gateway, tenant: Tenant, message_id: UUID
) -> SmartReplies:
    """Propose answers to a message that the tenant sees; nothing is stored or sent.

    Raises `RowMissing`, and what the gateway raises.
    """
    before = await said_before(db, tenant, [message_id])
    if message_id not in before:
        raise RowMissing("There is no such message in your channels.")
    engine = await gateway.engine_for(tenant, None)
    completed = await gateway.complete(
        tenant,
        PROPOSE,
        before[message_id],
        engine=engine,
        run_id=None,
        store=ANSWERS,
        may_fall_back=True,
    )
    return SmartReplies(message_id, completed.answer, completed.engine)
