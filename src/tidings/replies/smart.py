"""Two or three answers to one message, for a person to choose from."""

from uuid import UUID

import msgspec

from tidings.ai.gateway import Gateway
from tidings.base.errors import RowMissing
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
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


async def smart_replies(
    db: Database, gateway: Gateway, tenant: Tenant, message_id: UUID
) -> SmartReplies:
    """Propose answers to a message that the tenant sees; nothing is stored or sent.

    Raises `RowMissing`, and what the gateway raises.
    """
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.messages_before, {"message_id": message_id, "most": _CONTEXT})
    if not found.rows:
        raise RowMissing("There is no such message in your channels.")
    *before, last = [
        Line(row["sender_name"] or row["sender_id"], row["body"]) for row in found.rows
    ]
    engine = await gateway.engine_for(tenant, None)
    completed = await gateway.complete(
        tenant,
        PROPOSE,
        ToAnswer(last, tuple(before)),
        engine=engine,
        run_id=None,
        store=ANSWERS,
        may_fall_back=True,
    )
    return SmartReplies(message_id, completed.answer, completed.engine)
