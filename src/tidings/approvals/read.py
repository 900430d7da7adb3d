"""Approvals as they are read: the queue, and one whole."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from tidings.approvals.live import TOPIC, topic_of
from tidings.base.cursor import Page, decode_cursor, listing
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Batch, Database, Pending, Row, Transaction
from tidings.realtime.topics import MOST_TOPICS

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
    detail}]. `digest` is SHA-256 of exactly what would leave. `answers_elsewhere` is the sender of
    the message that it answers, where `to` is of another domain: a mail may ask for that
    (Reply-To), and frauds do.
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
    answers_elsewhere: str | None


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
    of = listing("approvals", status=status, channel=channel)
    params = _params(page, of, status, channel)
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.list_approvals, params, row=Approval)
    return _page(found.rows, page, of)


def _params(page: Page, of: str, status: str | None, channel: str | None) -> dict[str, Any]:
    return {
        "status": status,
        "channel": channel,
        "before": decode_cursor(of, page.cursor, UUID),
        "limit": page.limit + 1,
    }


def _page(rows: list[Approval], page: Page, of: str) -> ApprovalPage:
    return ApprovalPage(*page.cut(of, rows, lambda approval: approval.id))


class Queue(msgspec.Struct, frozen=True):
    """A page of the queue: with how many there are of the open states, and what to listen to."""

    page: ApprovalPage
    counts: dict[str, int]
    topics: list[str]


async def read_queue(
    db: Database, tenant: Tenant, page: Page, *, status: Status | None = None
) -> Queue:
    """What the page of the queue shows, in one round trip."""
    of = listing("approvals", status=status)
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.list_approvals, _params(page, of, status, None), row=Approval)
        counts = batch.add(sql.count_by_status)
        channels = batch.add(sql.my_live_channels, {"most": MOST_TOPICS - 1})
    return Queue(
        _page(found.rows, page, of),
        {row["status"]: row["number"] for row in counts.rows},
        [TOPIC, *(topic_of(row["id"]) for row in channels.rows)],
    )


def add_waiting(batch: Batch) -> Pending[Row]:
    """How many drafts wait for a decision that the tenant may see, in somebody's batch."""
    return batch.add(sql.count_pending)


async def get_approval(db: Database, tenant: Tenant, approval_id: UUID) -> Approval:
    """One approval. Raises `RowMissing`."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.get_approval, {"id": approval_id}, row=Approval)
    return found.one()


async def read_approval(transaction: Transaction, approval_id: UUID) -> Approval:
    """One approval, within a transaction. Raises `RowMissing`."""
    return await transaction.one(sql.get_approval, {"id": approval_id}, row=Approval)
