"""Editing: what changed has to be approved anew."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from tidings.approvals.draft import check_words
from tidings.approvals.read import Approval, read_approval
from tidings.base.changes import given_fields
from tidings.base.errors import StateConflict, VersionStale
from tidings.db.queries import load_queries
from tidings.db.transaction import Transaction
from tidings.tenancy import audit

sql = load_queries("tidings.approvals")

EDITABLE = ("pending", "approved")


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """What to change; what is not named stays."""

    to: str | msgspec.UnsetType = msgspec.UNSET
    subject: str | msgspec.UnsetType = msgspec.UNSET
    content: str | msgspec.UnsetType = msgspec.UNSET
    expires_at: datetime | msgspec.UnsetType | None = msgspec.UNSET


async def edit(
    transaction: Transaction,
    approval_id: UUID,
    change: Edit,
    *,
    version: int | None = None,
    kind: audit.ActorKind = "person",
) -> Approval:
    """Change a pending or approved one; it is pending afterwards, with a new digest.

    `version` is the one that was seen. Raises `RowMissing`, `InputInvalid`, `VersionStale` and
    `StateConflict` for one that was decided on or is on its way.
    """
    before = await read_approval(transaction, approval_id)
    if before.status not in EDITABLE:
        raise StateConflict(f"It is {before.status.replace('_', ' ')}; it can no longer be edited.")
    if version is not None and version != before.version:
        raise VersionStale
    given = given_fields(change)
    after = msgspec.structs.replace(before, **given)
    check_words(after.channel, after.to, after.subject, after.content)
    if await transaction.optional(sql.edit_approval, _params(after)) is None:
        raise VersionStale
    # The texts themselves are in the row; the log says which of them changed.
    payload = {"changed": sorted(given), "digest_before": before.digest}
    audit.record(transaction, "approval.edited", f"approval:{approval_id}", payload, kind=kind)
    return await read_approval(transaction, approval_id)


def _params(after: Approval) -> dict[str, Any]:
    return {
        "id": after.id,
        "version": after.version,
        "recipient": after.to.strip(),
        "subject": after.subject.strip(),
        "content": after.content,
        "expires_at": after.expires_at,
    }
