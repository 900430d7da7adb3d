"""Approvals as they are read: the queue, and one whole."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from tidings.base.cursor import Page, decode_cursor, encode_cursor
from tidings.base.errors import RowMissing
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Transaction

sql = load_queries("tidings.approvals")

Status = Literal[
    "pending",
    "approved",
    "sending",
    "sent",
    "failed",
    "rejected",
    "expired",
    "cancelled",
    "opened",
    "sent_manual",
]


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """An outgoing message before and after its decision.

    `waits_for` says why one that is approved has not left, until `next_attempt_at`; `outcome` and
    `problem` why one was cancelled, rejected or failed; `attempt_log` is [{attempt, at, outcome,
    detail}]. `digest` is SHA-256 of exactly what would leave.
    """

    id: UUID
    type: str
    channel: str
    to: str
    subject: str
    content: str
    status: Status
    lead_id: UUID | None
    message_id: UUID | None
    channel_id: UUID | None
    rule_id: UUID | None
    is_automatic: bool
    reason: str
    evidence: list[Any]
    ai_score: int | None
    version: int
    digest: str
    created_by: UUID | None
    created_at: datetime
    decided_by: str | None
    reviewed_by: UUID | None
    reviewed_by_name: str | None
    reviewed_at: datetime | None
    expires_at: datetime | None
    next_attempt_at: datetime | None
    waits_for: str | None
    attempts: int
    attempt_log: list[Any]
    outcome: str | None
    problem: str
    provider_id: str | None
    sent_at: datetime | None
    is_do_not_contact: bool


class ApprovalPage(msgspec.Struct, frozen=True):
    """Part of the list, and where the next part starts."""

    items: list[Approval]
    next_cursor: str | None


async def list_approvals(
    db: Database,
    tenant: Tenant,
    page: Page,
    *,
    status: Status | None = None,
    channel: str | None = None,
) -> ApprovalPage:
    """The newest first; of a channel's answers those alone that its members may see."""
    params = {
        "status": status,
        "channel": channel,
        "before": decode_cursor("approvals", page.cursor, UUID),
        "limit": page.limit + 1,
    }
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.list_approvals, params, row=Approval)
    items = found.rows[: page.limit]
    more = len(found.rows) > page.limit
    return ApprovalPage(items, encode_cursor("approvals", items[-1].id) if more else None)


async def count_by_status(db: Database, tenant: Tenant) -> dict[str, int]:
    """How many are pending, approved, sending, failed and opened; none is left out."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.count_by_status)
    return {row["status"]: row["number"] for row in found.rows}


async def get_approval(db: Database, tenant: Tenant, approval_id: UUID) -> Approval:
    """One approval. Raises `RowMissing`."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.get_approval, {"id": approval_id}, row=Approval)
    approval = found.optional()
    if approval is None:
        raise RowMissing
    return approval


async def read_approval(transaction: Transaction, approval_id: UUID) -> Approval:
    """One approval, within a transaction. Raises `RowMissing`."""
    return await transaction.one(sql.get_approval, {"id": approval_id}, row=Approval)
