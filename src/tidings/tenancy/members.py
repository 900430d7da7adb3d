"""Members and their roles. The rules stand in SQL, under a lock on the organization:

admins add, change and remove members, but owners only an owner; nobody raises themself; anyone
may leave; at least one owner stays. A changed role is felt by the next request of every session
and key.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from tidings.base.errors import InputInvalid
from tidings.base.ids import uuid7
from tidings.base.tenant import PERSON_ROLES, Role, Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.tenancy import audit
from tidings.tenancy.people import check_email, check_name

sql = load_queries("tidings.tenancy")


class Member(msgspec.Struct, frozen=True):
    """A person in this organization."""

    user_id: UUID
    email: str
    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None


async def list_members(
    db: Database, tenant: Tenant, *, after: UUID | None = None, limit: int = 50
) -> list[Member]:
    """Members in the order of their ids, those above `after`."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        members = batch.add(sql.list_members, {"after": after, "limit": limit}, row=Member)
    return members.rows


async def read_member(db: Database, tenant: Tenant, user_id: UUID) -> Member:
    """One member. Raises `RowMissing`."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.read_member, {"user_id": user_id}, row=Member)
    return found.one()


async def add_member(
    db: Database,
    tenant: Tenant,
    email: str,
    role: Role,
    *,
    name: str = "",
    kind: audit.ActorKind = "person",
) -> UUID:
    """Add a person, known or new, and answer their id. They sign in by a link.

    Raises `RoleForbidden`, `StateConflict` for a member already, `InputInvalid`.
    """
    params = {
        "user_id": uuid7(),
        "email": check_email(email),
        "name": check_name("name", name, required=False),
        "role": _check_role(role),
    }
    async with db.tenant_transaction(tenant) as transaction:
        user_id: UUID = await transaction.value(sql.add_member, params)
        audit.record(transaction, "member.added", f"user:{user_id}", {"role": role}, kind=kind)
    return user_id


async def change_role(
    db: Database, tenant: Tenant, user_id: UUID, role: Role, *, kind: audit.ActorKind = "person"
) -> None:
    """Give a member another role; nothing happens when they have it.

    Raises `RowMissing`, `RoleForbidden`, or `StateConflict` for the last owner.
    """
    params = {"user_id": user_id, "role": _check_role(role)}
    async with db.tenant_transaction(tenant) as transaction:
        old_role = await transaction.value(sql.change_member_role, params)
        if old_role != role:
            payload = {"old_role": old_role, "role": role}
            audit.record(transaction, "member.role_changed", f"user:{user_id}", payload, kind=kind)


async def remove_member(
    db: Database, tenant: Tenant, user_id: UUID, *, kind: audit.ActorKind = "person"
) -> None:
    """Remove a member with their sessions and keys here; the person stays known elsewhere.

    Raises `RowMissing`, `RoleForbidden`, or `StateConflict` for the last owner.
    """
    async with db.tenant_transaction(tenant) as transaction:
        old_role = await transaction.value(sql.remove_member, {"user_id": user_id})
        payload = {"old_role": old_role}
        audit.record(transaction, "member.removed", f"user:{user_id}", payload, kind=kind)


def _check_role(role: Role) -> Role:
    if role not in PERSON_ROLES:
        problem = f"must be one of {', '.join(PERSON_ROLES)}"
        raise InputInvalid.of("role", problem)
    return role
