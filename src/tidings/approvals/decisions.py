"""Decisions: the first one stands, and who comes second hears whose it was."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

import msgspec

from tidings.approvals.draft import BY_HAND, LONGEST_REASON, send_job
from tidings.approvals.send import LEASE
from tidings.approvals.write_back import write_back
from tidings.base.errors import (
    InputInvalid,
    RoleForbidden,
    RowMissing,
    StateConflict,
    TidingsError,
    VersionStale,
)
from tidings.base.text import check_text
from tidings.db.queries import load_queries
from tidings.db.transaction import Transaction
from tidings.queue.enqueue import enqueue, enqueue_many
from tidings.tenancy import audit

sql = load_queries("tidings.approvals")

MOST = 500
"""Approvals that one batch decides on."""

Decision = Literal["approve", "reject"]
_DONE = {"approve": "approved", "reject": "rejected"}


class Choice(msgspec.Struct, frozen=True):
    """One approval to decide on; `version` is the one that was seen, None for whatever stands."""

    id: UUID
    version: int | None = None


class Decided(msgspec.Struct, frozen=True):
    """What became of one: `code` and `detail` are None where the decision was taken."""

    id: UUID
    status: str | None
    version: int | None = None
    code: str | None = None
    detail: str | None = None


class _Changed(msgspec.Struct, frozen=True):
    id: UUID
    channel: str
    status: str
    version: int
    next_attempt_at: datetime | None


class _State(msgspec.Struct, frozen=True):
    id: UUID
    status: str
    version: int
    decided_by: str | None
    reviewed_by_name: str | None
    reviewed_by_email: str | None
    reviewed_at: datetime | None
    is_past: bool


async def decide(
    transaction: Transaction,
    decision: Decision,
    choices: Sequence[Choice],
    *,
    reason: str = "",
    kind: audit.ActorKind = "person",
) -> list[Decided]:
    """Approve or reject many at once; each by itself, in the order given.

    What is approved is on its way once the transaction commits. Two round trips, one more where
    some were decided already.
    """
    if not 1 <= len(choices) <= MOST:
        raise InputInvalid(f"Decide on 1 to {MOST} approvals at once.")
    check_text("reason", reason, longest=LONGEST_REASON)
    params: dict[str, Any] = {
        "ids": [choice.id for choice in choices],
        "versions": [choice.version for choice in choices],
    }
    if decision == "approve":
        rows = await transaction.fetch(sql.approve_approvals, params, row=_Changed)
    else:
        params["reason"] = reason
        rows = await transaction.fetch(sql.reject_approvals, params, row=_Changed)
    changed = {row.id: row for row in rows}
    left = {choice.id: choice for choice in choices if choice.id not in changed}
    errors = await _why_not(transaction, left) if left else {}
    if changed:
        _follow(transaction, decision, list(changed.values()), reason, kind)
    return [_answer(choice.id, changed.get(choice.id), errors.get(choice.id)) for choice in choices]


async def decide_one(
    transaction: Transaction,
    decision: Decision,
    choice: Choice,
    *,
    reason: str = "",
    kind: audit.ActorKind = "person",
) -> None:
    """Approve or reject one.

    Raises `RowMissing`, `VersionStale` when it changed since it was seen, and `StateConflict` that
    says who decided first.
    """
    (decided,) = await decide(transaction, decision, [choice], reason=reason, kind=kind)
    if decided.code is not None:
        raise _ERRORS[decided.code](decided.detail)


async def cancel(
    transaction: Transaction, approval_id: UUID, *, kind: audit.ActorKind = "person"
) -> None:
    """Take back what was approved and has not left. Raises `RowMissing`, `StateConflict`."""
    if await transaction.optional(sql.cancel_approval, {"id": approval_id}) is None:
        await _refuse(transaction, approval_id)
    audit.record(transaction, "approval.cancelled", f"approval:{approval_id}", kind=kind)


async def retry(
    transaction: Transaction, approval_id: UUID, *, kind: audit.ActorKind = "person"
) -> None:
    """Send a failed one again, or a waiting one now. Raises `RowMissing`, `StateConflict`.

    It keeps its idempotency key, so that a receiver that has it already takes it once.
    """
    row = await transaction.optional(sql.retry_approval, {"id": approval_id})
    if row is None:
        await _refuse(transaction, approval_id)
    else:
        enqueue(transaction, send_job(approval_id, row["next_attempt_at"]))
    audit.record(transaction, "approval.retried", f"approval:{approval_id}", kind=kind)


async def open_by_hand(
    transaction: Transaction, approval_id: UUID, *, kind: audit.ActorKind = "person"
) -> str | None:
    """Take one that a person sends themselves, under the same checks as a send.

    None when it is theirs; else the outcome for which it was cancelled instead. Raises
    `RowMissing`, and `StateConflict` for any other channel or what must not leave now.
    """
    row = await transaction.one(sql.find_route, {"id": approval_id})
    if row["channel"] not in BY_HAND:
        raise StateConflict("This channel sends by itself once it is approved.")
    params = {"id": approval_id, "token": uuid4(), "lease": LEASE, "repeatable": False}
    claimed = await transaction.one(sql.claim_approval, params)
    if claimed["verdict"] == "gone":
        await _refuse(transaction, approval_id)
    if claimed["verdict"] == "wait":
        until = f"{claimed['until']:%Y-%m-%d %H:%M} UTC"
        raise StateConflict(f"The send policy lets it go at {until} ({claimed['why']}).")
    if claimed["verdict"] == "cancelled":
        why: str = claimed["why"]
        return why
    audit.record(transaction, "approval.opened", f"approval:{approval_id}", kind=kind)
    return None


async def mark_sent(
    transaction: Transaction, approval_id: UUID, *, kind: audit.ActorKind = "person"
) -> None:
    """Note that an opened one was sent by hand. Raises `RowMissing`, `StateConflict`."""
    if await transaction.optional(sql.mark_sent, {"id": approval_id}) is None:
        await _refuse(transaction, approval_id)
    await write_back(transaction, approval_id)
    audit.record(transaction, "approval.sent_manual", f"approval:{approval_id}", kind=kind)


async def _refuse(transaction: Transaction, approval_id: UUID) -> None:
    """Raise why a change found nothing to change."""
    states = await transaction.fetch(sql.read_states, {"ids": [approval_id]}, row=_State)
    if not states:
        raise RowMissing
    raise StateConflict(_sentence(states[0]))


async def _why_not(transaction: Transaction, left: dict[UUID, Choice]) -> dict[UUID, TidingsError]:
    states = await transaction.fetch(sql.read_states, {"ids": list(left)}, row=_State)
    found: dict[UUID, TidingsError] = {
        state.id: _problem(state, left[state.id]) for state in states
    }
    return {one: found.get(one) or RowMissing() for one in left}


def _problem(state: _State, choice: Choice) -> TidingsError:
    if state.status != "pending":
        return StateConflict(_sentence(state))
    if choice.version is not None and state.version != choice.version:
        return VersionStale()
    if state.is_past:
        return StateConflict("Its time is past; it can no longer be approved.")
    return RoleForbidden()


def _sentence(state: _State) -> str:
    """Who did what when, as far as somebody did."""
    if state.reviewed_at is None:
        return f"It is {state.status}."
    who = state.reviewed_by_name or state.reviewed_by_email or "Somebody who has left"
    if state.decided_by != "person":
        who = "A rule" if state.decided_by == "rule" else "The send policy"
    done = "rejected" if state.status == "rejected" else "approved"
    now = "" if state.status == done else f" Now it is {state.status.replace('_', ' ')}."
    return f"{who} {done} it on {state.reviewed_at:%Y-%m-%d at %H:%M} UTC.{now}"


def _follow(
    transaction: Transaction,
    decision: Decision,
    changed: list[_Changed],
    reason: str,
    kind: audit.ActorKind,
) -> None:
    """What a decision brings about: the sends, and the record of it."""
    if decision == "approve":
        jobs = [
            send_job(one.id, one.next_attempt_at) for one in changed if one.channel not in BY_HAND
        ]
        enqueue_many(transaction, jobs)
    action = f"approval.{_DONE[decision]}"
    if len(changed) == 1:
        audit.record(
            transaction, action, f"approval:{changed[0].id}", {"reason": reason}, kind=kind
        )
    else:
        ids = [str(one.id) for one in changed]
        audit.record(transaction, action, "approvals", {"ids": ids, "reason": reason}, kind=kind)


def _answer(approval_id: UUID, done: _Changed | None, error: TidingsError | None) -> Decided:
    if done is not None:
        return Decided(approval_id, done.status, done.version)
    assert error is not None
    return Decided(approval_id, None, None, error.code, error.message)


_ERRORS: dict[str, type[TidingsError]] = {
    error.code: error for error in (RoleForbidden, RowMissing, StateConflict, VersionStale)
}
