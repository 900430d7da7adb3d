"""API keys: shown once, stored hashed, never worth more than the member they act as."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

import msgspec

from tidings.base.clock import now
from tidings.base.errors import FieldProblem, InputInvalid, RoleForbidden
from tidings.base.ids import uuid7
from tidings.base.tenant import PERSON_ROLES, Role, Tenant
from tidings.base.text import check_text
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.tenancy import audit
from tidings.tenancy.tokens import KEY_PREFIX, hash_token, new_token

sql = load_queries("tidings.tenancy")

Area = Literal[
    "kv", "meetings", "messages", "engagement", "summaries", "approvals", "brainstorm", "admin"
]
"""What a scope can open as a whole: reading and changing everything in it."""

SCOPES = ("read", "write", *get_args(Area))
"""`read` and `write` open every area but `admin`, for reading or for changing; none: everything."""


class ApiKey(msgspec.Struct, frozen=True):
    """A key as lists show it: by its prefix, never whole."""

    id: UUID
    user_id: UUID
    name: str
    prefix: str
    role: Role
    scopes: list[str]
    expires_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime
    revoked_at: datetime | None


class IssuedKey(msgspec.Struct, frozen=True):
    """A new key; `key` is shown this once and cannot be read again."""

    id: UUID
    key: str
    prefix: str
    role: Role


def scopes_allow(scopes: Sequence[str], area: Area, *, write: bool) -> bool:
    """Whether a key with these scopes may read (or change) this area."""
    if not scopes or area in scopes:
        return True
    return area != "admin" and ("write" if write else "read") in scopes


async def issue_key(
    db: Database,
    tenant: Tenant,
    name: str,
    *,
    role: Role | None = None,
    scopes: Sequence[str] = (),
    expires_at: datetime | None = None,
    held: Sequence[str] = (),
    kind: audit.ActorKind = "person",
) -> IssuedKey:
    """Make a key that acts as the tenant's user; `role` defaults to the tenant's.

    `held` are the scopes of the key that asks, if one does: it cannot make one that may do more.
    Raises `RoleForbidden` for a higher role or wider scopes, `InputInvalid` for a bad field.
    """
    role = role or tenant.role
    _check(name, role, scopes, expires_at)
    _check_rights(tenant, role, scopes, held)
    key = KEY_PREFIX + new_token()
    issued = IssuedKey(uuid7(), key, key[:8], role)
    async with db.tenant_batch(tenant) as batch:
        batch.queue(
            sql.insert_api_key,
            {
                "id": issued.id,
                "name": name.strip(),
                "prefix": issued.prefix,
                "key_hash": hash_token(key),
                "role": role,
                "scopes": sorted(set(scopes)),
                "expires_at": expires_at,
            },
        )
        payload = {"name": name.strip(), "role": role, "scopes": sorted(set(scopes))}
        audit.record(batch, "api_key.issued", f"api_key:{issued.id}", payload, kind=kind)
    return issued


async def list_keys(
    db: Database, tenant: Tenant, *, after: UUID | None = None, limit: int = 50
) -> list[ApiKey]:
    """Own keys, or for admins all, revoked ones too; the newest first, those older than `after`."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        keys = batch.add(sql.list_api_keys, {"after": after, "limit": limit}, row=ApiKey)
    return keys.rows


async def revoke_key(
    db: Database, tenant: Tenant, key_id: UUID, *, kind: audit.ActorKind = "person"
) -> None:
    """End a key from the next request on; quietly when it is revoked already.

    Raises `RowMissing` for a key that is not there or not the tenant's to see.
    """
    async with db.tenant_transaction(tenant) as transaction:
        if await transaction.optional(sql.revoke_api_key, {"id": key_id}) is None:
            await transaction.one(sql.find_api_key, {"id": key_id})
            return
        audit.record(transaction, "api_key.revoked", f"api_key:{key_id}", kind=kind)


def _check(name: str, role: Role, scopes: Sequence[str], expires_at: datetime | None) -> None:
    check_text("name", name, longest=200)
    problems = []
    if not name.strip():
        problems.append(FieldProblem("name", "is empty"))
    if role not in PERSON_ROLES:
        problems.append(FieldProblem("role", f"must be one of {', '.join(PERSON_ROLES)}"))
    if not set(scopes) <= set(SCOPES):
        problems.append(FieldProblem("scopes", f"may hold {', '.join(SCOPES)}"))
    if expires_at is not None and expires_at <= now():
        problems.append(FieldProblem("expires_at", "must be in the future"))
    if problems:
        raise InputInvalid(errors=problems)


def _check_rights(tenant: Tenant, role: Role, scopes: Sequence[str], held: Sequence[str]) -> None:
    if tenant.role not in PERSON_ROLES:
        raise RoleForbidden("A key acts as a person; services have none.")
    if PERSON_ROLES.index(role) < PERSON_ROLES.index(tenant.role):
        raise RoleForbidden("A key cannot have a higher role than who makes it.")
    if held and not (scopes and set(scopes) <= set(held)):
        raise RoleForbidden("A key cannot make one with wider scopes than its own.")
