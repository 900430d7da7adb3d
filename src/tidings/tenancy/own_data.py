"""A person's own data: to take along, and to be forgotten with.

What goes with a membership is told by foreign keys: rules and their log, digests and catch-ups,
keys and sessions. Brainstorms are handed to the first editor; what somebody wrote in a channel or
on a board of others belongs to the organization and stays, under a bare id.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import msgspec

from tidings.base.errors import RowMissing
from tidings.base.tenant import Role, Tenant
from tidings.db.queries import Query, in_pages, load_queries
from tidings.db.transaction import Database, Row
from tidings.tenancy import audit

sql = load_queries("tidings.tenancy")

BATCH = 500


class Own(msgspec.Struct, frozen=True):
    """What one domain keeps of a person: how it is called, and the query for all of it.

    The query answers `id` and `row` for whoever acts; each domain names its own in `own.py`, and
    the wiring puts them together.
    """

    kind: str
    query: Query


OWN = (
    Own("person", sql.own_person),
    Own("session", sql.own_sessions),
    Own("api_key", sql.own_api_keys),
)


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


async def own_data(
    db: Database, tenant: Tenant, kept: Sequence[Own], *, batch: int = BATCH
) -> AsyncIterator[OwnRow]:
    """Everything that is the acting person's in this organization, as they may see it.

    The first `batch` of each kind come in one round trip; more only for a kind that has more.
    """
    pages = await _pages(db, tenant, kept, None, batch)
    for own, page in zip(kept, pages, strict=True):
        rows = page
        while True:
            for one in rows:
                yield OwnRow(own.kind, one["row"])
            if len(rows) < batch:
                break
            [rows] = await _pages(db, tenant, [own], rows[-1]["id"], batch)


async def _pages(
    db: Database, tenant: Tenant, kept: Sequence[Own], after: UUID | None, most: int
) -> list[list[Row]]:
    params = {"after": after, "most": most}
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        pages = [batch.add(in_pages(own.query), params) for own in kept]
    return [page.rows for page in pages]


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
