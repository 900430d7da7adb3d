"""The life of a web session after signing in: rotate, list, end, change the password."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from tidings.base.errors import RoleForbidden
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.tenancy import audit
from tidings.tenancy.passwords import hash_password, verify_password
from tidings.tenancy.tokens import hash_token, new_token

sql = load_queries("tidings.tenancy")


class Session(msgspec.Struct, frozen=True):
    """A session as its owner sees it listed."""

    id: UUID
    user_id: UUID
    method: Literal["password", "link"]
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    user_agent: str
    address: str


async def rotate_session(db: Database, token: str) -> str | None:
    """A new token in place of this one, or None when another request just rotated it.

    The old token is accepted for 60 seconds more, for requests already under way.
    """
    fresh = new_token()
    async with db.system_batch() as batch:
        rotated = batch.add(
            sql.rotate_session, {"old": hash_token(token), "new": hash_token(fresh)}
        )
    return fresh if rotated.value() else None


async def list_sessions(db: Database, tenant: Tenant, user_id: UUID) -> list[Session]:
    """A person's working sessions in this organization: one's own, or for admins anyone's."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        sessions = batch.add(sql.list_sessions, {"user_id": user_id}, row=Session)
    return sessions.rows


async def revoke_session(
    db: Database, tenant: Tenant, session_id: UUID, *, kind: audit.ActorKind = "person"
) -> None:
    """End a session (signing out is ending one's own); quietly when it has ended already.

    Raises `RowMissing` for one that is not there or not the tenant's to end.
    """
    async with db.tenant_transaction(tenant) as transaction:
        if await transaction.optional(sql.revoke_session, {"id": session_id}) is None:
            await transaction.one(sql.find_session, {"id": session_id})
            return
        audit.record(transaction, "session.revoked", f"session:{session_id}", kind=kind)


async def revoke_sessions(
    db: Database,
    tenant: Tenant,
    user_id: UUID,
    *,
    keep: UUID | None = None,
    kind: audit.ActorKind = "person",
) -> int:
    """End all sessions of a person here but `keep`; how many ended.

    Members end their own; of another person's, who is not an admin ends none.
    """
    async with db.tenant_transaction(tenant) as transaction:
        ended = await transaction.execute(sql.revoke_sessions, {"user_id": user_id, "keep": keep})
        if ended:
            payload = {"sessions": ended}
            audit.record(transaction, "sessions.revoked", f"user:{user_id}", payload, kind=kind)
    return ended


async def change_password(
    db: Database,
    settings: Settings,
    tenant: Tenant,
    session_id: UUID,
    current: str | None,
    new: str,
) -> None:
    """Set the acting person's password; end their other sessions and links everywhere.

    `current` may be None when there is no password yet, or within 15 minutes of signing in by a
    link. Tries count, as at signing in, before it is checked. Raises `RoleForbidden` when it is not
    right or was tried too often, `InputInvalid` for a new one too short.
    """
    new_hash = await hash_password(new)
    checked_hash = None
    if current is not None:
        async with db.tenant_batch(tenant) as batch:
            own = batch.add(sql.own_password, {"limit": settings.sign_in_limit})
        checked_hash = own.one()["password_hash"]
        if not (await verify_password(checked_hash, current)).is_right:
            raise RoleForbidden(
                "The current password is not right, or there were too many tries; check it, or "
                "wait 15 minutes."
            )
    params = {"session_id": session_id, "checked_hash": checked_hash, "new_hash": new_hash}
    async with db.tenant_batch(tenant) as batch:
        batch.queue(sql.set_password, params)
        audit.record(batch, "password.changed", f"user:{tenant.user_id}")
