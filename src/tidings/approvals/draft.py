"""STANDIN until the merge with the branch `approvals`: keeps drafts as keys `approval:<id>`."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from tidings.base.ids import uuid7
from tidings.db.queries import Queries, load_queries
from tidings.db.transaction import Statements

sql: Queries = load_queries("tidings.approvals")


class NewApproval(msgspec.Struct, kw_only=True, frozen=True):
    """A message that may leave once it is approved."""

    type: str
    channel: str
    to: str
    content: str
    subject: str = ""
    lead_id: UUID | None = None
    message_id: UUID | None = None
    channel_id: UUID | None = None
    reason: str = ""
    evidence: list[Any] = []
    rule_id: UUID | None = None
    is_automatic: bool = False
    expires_at: datetime | None = None
    approved_by_rule: bool = False


def draft(statements: Statements, new: NewApproval) -> UUID:
    """Keep the draft along with the caller's transaction."""
    approval_id = uuid7()
    params = {"id": approval_id, "draft": msgspec.json.encode(new).decode()}
    statements.queue(sql.standin_draft, params)
    return approval_id
