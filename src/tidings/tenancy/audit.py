"""The audit log: append-only, in the transaction of what it tells about, chained afterwards.

Writers only insert; nobody queues on the end of a chain. `seal_entries` chains what has been
committed since, in batches per organization, over salted hashes of the payloads.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Statements

sql = load_queries("tidings.tenancy")

ActorKind = Literal["person", "key", "service"]


class AuditEntry(msgspec.Struct, frozen=True):
    """One thing that somebody did. `payload` is None once erased, `seal` until sealed."""

    id: UUID
    at: datetime
    actor_user_id: UUID | None
    actor_kind: ActorKind
    action: str
    target: str
    payload: dict[str, Any] | None
    seal: int | None


class AuditReport(msgspec.Struct, frozen=True):
    """What verifying a chain found; `head` is the hash of the last good seal.

    A chain cut off at its end is noticed only by whoever kept an earlier `head`.
    """

    intact: bool
    seals: int
    entries: int
    unsealed: int
    broken_at: int | None
    problem: str | None
    head: bytes


def record(
    statements: Statements,
    action: str,
    target: str,
    payload: Mapping[str, Any] | None = None,
    *,
    kind: ActorKind = "person",
) -> None:
    """Queue an entry into the caller's transaction: both commit, or neither.

    `action` is `noun.verb`, `target` is `noun:id`; `payload` is JSON and holds no secret. A tenant
    whose role is `service` is recorded as such whatever `kind` says.
    """
    statements.queue(
        sql.insert_audit_entry,
        {
            "kind": kind,
            "action": action,
            "target": target,
            "payload": msgspec.json.encode(payload or {}).decode(),
        },
    )


async def list_entries(
    db: Database,
    tenant: Tenant,
    *,
    target: str | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[AuditEntry]:
    """The newest entries first, those older than `before`; admins alone see any."""
    params = {"target": target, "before": before, "limit": limit}
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        entries = batch.add(sql.list_audit_entries, params, row=AuditEntry)
    return entries.rows


async def seal_entries(db: Database, max_rows: int = 10_000) -> int:
    """Chain up to `max_rows` committed entries of all organizations; how many were chained."""
    async with db.system_batch() as batch:
        sealed = batch.add(sql.seal_audit, {"max_rows": max_rows})
    return int(sealed.value())


async def verify_chain(db: Database, organization_id: UUID) -> AuditReport:
    """Recompute an organization's chain, as the operator."""
    async with db.system_batch(repeatable=True) as batch:
        report = batch.add(sql.verify_audit, {"organization_id": organization_id}, row=AuditReport)
    return report.one()


async def verify_own_chain(db: Database, tenant: Tenant) -> AuditReport:
    """Recompute the tenant's own chain. Raises `RoleForbidden` below admin."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        report = batch.add(
            sql.verify_audit, {"organization_id": tenant.organization_id}, row=AuditReport
        )
    return report.one()


async def erase_payloads(
    db: Database, tenant: Tenant, target: str, *, kind: ActorKind = "person"
) -> int:
    """Empty the payloads of all entries about `target`, and record that; how many were emptied.

    The chain stays verifiable, for it covers the salted hashes. Raises `RoleForbidden` below admin.
    """
    async with db.tenant_batch(tenant) as batch:
        erased = batch.add(sql.erase_audit, {"target": target})
        record(batch, "audit.erased", target, kind=kind)
    return int(erased.value())
