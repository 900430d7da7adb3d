"""A person's own data: to take along, and to be forgotten with.

What goes with a membership is told by foreign keys: rules and their log, digests and catch-ups,
keys and sessions. Brainstorms are handed to the first editor; what somebody wrote in a channel or
on a board of others belongs to the organization and stays, under a bare id.
"""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec

from tidings.base.errors import RowMissing
from tidings.base.tenant import Role, Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.tenancy import audit

sql = load_queries("tidings.tenancy")

BATCH = 500
_KINDS = {
    "person": sql.own_person,
    "session": sql.own_sessions,
    "api_key": sql.own_api_keys,
    "channel": sql.own_channels,
    "rule": sql.own_rules,
    "automatic_reply": sql.own_replies,
    "digest_schedule": sql.own_digest_schedules,
    "summary": sql.own_summaries,
    "brainstorm": sql.own_brainstorms,
    "collaboration": sql.own_collaborations,
    "idea": sql.own_ideas,
    "vote": sql.own_votes,
}


class OwnRow(msgspec.Struct, frozen=True):
    """One row of a person's: what it is, and what it says."""

    kind: str
    row: dict[str, Any]


class _Member(msgspec.Struct, frozen=True):
    user_id: UUID
    role: Role


async def find_member(db: Database, tenant: Tenant, email: str) -> Tenant:
    """The tenant of a member by e-mail address. Raises `RowMissing`."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.find_member, {"email": email}, row=_Member)
    member = found.optional()
    if member is None:
        raise RowMissing(f"{email} is no member; `tidings members list` shows who is.")
    return Tenant(tenant.organization_id, member.user_id, member.role)


async def own_data(db: Database, tenant: Tenant, *, batch: int = BATCH) -> AsyncIterator[OwnRow]:
    """Everything that is the acting person's in this organization, as they may see it."""
    for kind, query in _KINDS.items():
        after: UUID | None = None
        while True:
            async with db.tenant_batch(tenant, repeatable=True) as statements:
                found = statements.add(query, {"after": after, "most": batch})
            for one in found.rows:
                yield OwnRow(kind, one["row"])
            if len(found.rows) < batch:
                break
            after = found.rows[-1]["id"]


async def erase_member(
    db: Database, tenant: Tenant, user_id: UUID, *, kind: audit.ActorKind = "person"
) -> bool:
    """Remove a member with what is theirs, and whatever the audit log says of them.

    Answers whether the person is forgotten: they are, unless they belong to another organization.
    Raises as `remove_member` does.
    """
    async with db.tenant_transaction(tenant) as transaction:
        is_forgotten: bool = await transaction.value(sql.erase_member, {"user_id": user_id})
        audit.record(transaction, "member.erased", f"user:{user_id}", kind=kind)
    return is_forgotten
