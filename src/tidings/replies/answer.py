"""A person's own answer to a message, chosen from what was proposed or typed: a draft."""

from uuid import UUID

import msgspec

from tidings.approvals.draft import NewApproval, draft
from tidings.base.errors import RoleForbidden, RowMissing, StateConflict
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Transaction
from tidings.replies.recipient import recipient_of, subject_of

sql = load_queries("tidings.replies")


class Answers(msgspec.Struct, frozen=True):
    """What was proposed to a person for a message, by which engine; `approval_id` answers it."""

    message_id: UUID
    proposals: list[str]
    engine: str | None
    approval_id: UUID | None


async def find_answers(db: Database, tenant: Tenant, message_id: UUID) -> Answers | None:
    """What the tenant may choose from for a message; None for one that no answer is due to.

    One round trip, no engine: the rule `smart_reply` proposed when the message came in.
    """
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.find_answers, {"message_id": message_id})
    row = found.optional()
    if row is None or row["automatic"] is not None:
        return None
    return Answers(message_id, row["proposals"] or [], row["ai_note"], row["approval_id"])


async def draft_answer(
    transaction: Transaction, channel_id: UUID, message_id: UUID, content: str
) -> UUID:
    """Draft an answer of the acting user to a message of a channel; the id of the approval.

    Raises `InputInvalid`, `RoleForbidden`, `RowMissing`, and `StateConflict` when another draft
    answers it already: a second press is no second draft.
    """
    if not transaction.tenant.may_write:
        raise RoleForbidden
    transaction.queue(sql.lock_answer, {"message_id": message_id})
    row = await transaction.optional(sql.message_to_answer, {"message_id": message_id})
    if row is None or row["channel_id"] != channel_id:
        raise RowMissing("There is no such message in your channels.")
    if row["approval_id"] is not None:
        raise StateConflict("A draft answers this message already.")
    kind = row["kind"]
    new = NewApproval(
        type="email" if kind == "email" else "message",
        channel=kind,
        to=recipient_of(kind, row["sender_id"], row["sender_email"], row["answer_to"]),
        subject=subject_of(kind, row["subject"]),
        content=content,
        message_id=message_id,
        channel_id=row["channel_id"],
        reason="Answered in the inbox",
        evidence=[{"message_id": str(message_id), "quote": row["quote"]}],
    )
    return draft(transaction, new)
