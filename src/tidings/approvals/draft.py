"""Drafting: what somebody, a rule or an engine proposes to send."""

from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

import msgspec

from tidings.approvals.contacts import check_recipient
from tidings.base.errors import FieldProblem, InputInvalid
from tidings.base.ids import uuid7
from tidings.base.text import check_text, find_bad_text
from tidings.db.queries import load_queries
from tidings.db.transaction import Statements
from tidings.queue.enqueue import NewJob, enqueue

sql = load_queries("tidings.approvals")

Type = Literal["message", "email", "call", "meeting"]
Channel = Literal[
    "email",
    "chat",
    "slack",
    "whatsapp",
    "sms",
    "telegram",
    "linkedin",
    "facebook",
    "phone",
    "web",
    "webhook",
    "other",
]
BY_HAND: tuple[Channel, ...] = ("linkedin", "facebook", "phone")
"""Sent by a person: approved → opened → sent_manual."""

SEND = "approvals.send"
"""The kind of the job that sends one approval."""

LONGEST_CONTENT = 100_000
LONGEST_SUBJECT = 500
LONGEST_REASON = 2000


class NewApproval(msgspec.Struct, frozen=True, kw_only=True):
    """What is proposed, to whom, and what it rests on.

    `message_id` is the message that it answers: a person's answer meanwhile cancels it.
    `approved_by_rule` asks for no person: only services may, and the organization's automation
    level `manual` refuses it. `evidence` is any JSON list.
    """

    type: Type
    channel: Channel
    to: str
    content: str
    subject: str = ""
    lead_id: UUID | None = None
    message_id: UUID | None = None
    channel_id: UUID | None = None
    reason: str = ""
    evidence: list[Any] = []
    ai_score: int | None = None
    rule_id: UUID | None = None
    is_automatic: bool = False
    expires_at: datetime | None = None
    approved_by_rule: bool = False


def draft(statements: Statements, new: NewApproval) -> UUID:
    """Queue a draft on a tenant batch or transaction; costs no round trip of its own.

    Returns the id of the new approval: pending, or approved when `approved_by_rule`, and then on
    its way once the transaction commits. Raises `InputInvalid` for what could never be sent.
    """
    approval_id = uuid7()
    statements.queue(sql.insert_approval, {"id": approval_id, **_checked(new)})
    if new.approved_by_rule:
        enqueue(statements, send_job(approval_id))
    return approval_id


def send_job(approval_id: UUID, due_at: datetime | None = None) -> NewJob:
    """The job that sends an approval when it is due; the same due time is one job."""
    due = "now" if due_at is None else due_at.isoformat()
    return NewJob(
        kind=SEND,
        args={"approval_id": str(approval_id)},
        run_at=due_at,
        unique_key=f"{approval_id}:{due}",
        max_attempts=3,
    )


def check_words(channel: str, to: str, subject: str, content: str) -> None:
    """Raise `InputInvalid` for an address, subject or content that could never be sent."""
    check_recipient(channel, to)
    check_text("content", content, longest=LONGEST_CONTENT)
    check_text("subject", subject, longest=LONGEST_SUBJECT)
    problems = []
    if not content.strip():
        problems.append(FieldProblem("content", "is empty"))
    if any(ord(character) < 32 or ord(character) == 127 for character in subject):
        problems.append(FieldProblem("subject", "must be one line without control characters"))
    if problems:
        raise InputInvalid(errors=problems)


def _checked(new: NewApproval) -> dict[str, Any]:
    check_words(new.channel, new.to, new.subject, new.content)
    check_text("reason", new.reason, longest=LONGEST_REASON)
    problem = find_bad_text(new.evidence, "evidence")
    if new.type not in get_args(Type):
        problem = FieldProblem("type", f"must be one of {', '.join(get_args(Type))}")
    if new.ai_score is not None and not 0 <= new.ai_score <= 100:
        problem = FieldProblem("ai_score", "must be between 0 and 100")
    if problem is not None:
        raise InputInvalid.of(problem.field, problem.message)
    return {
        "type": new.type,
        "channel": new.channel,
        "recipient": new.to.strip(),
        "subject": new.subject.strip(),
        "content": new.content,
        "lead_id": new.lead_id,
        "message_id": new.message_id,
        "channel_id": new.channel_id,
        "reason": new.reason,
        "evidence": msgspec.json.encode(new.evidence).decode(),
        "ai_score": new.ai_score,
        "rule_id": new.rule_id,
        "is_automatic": new.is_automatic,
        "expires_at": new.expires_at,
        "status": "approved" if new.approved_by_rule else "pending",
    }
