"""Secrets of outside systems, per organization, sealed at rest and write-only to people."""

import re
from datetime import datetime
from uuid import UUID

import msgspec

from tidings.base.errors import (
    FieldProblem,
    InputInvalid,
    RoleForbidden,
    RowMissing,
    SecretUnreadable,
)
from tidings.base.tenant import Tenant
from tidings.base.text import check_text
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Statements, Transaction
from tidings.tenancy import audit
from tidings.tenancy.secret_keys import Sealed, SecretKeys

sql = load_queries("tidings.tenancy")

LONGEST = 8192
"""Characters of one secret; a private key fits."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}(:[A-Za-z0-9_-]{1,64})?")
_RESEAL_BATCH = 100


class SecretHint(msgspec.Struct, frozen=True):
    """What a list shows of a secret: its last characters, and who set it when."""

    name: str
    hint: str
    updated_at: datetime
    updated_by: UUID | None


class Resealed(msgspec.Struct, frozen=True):
    """How many secrets a rotation sealed anew, and how many no given key opens."""

    done: int
    unreadable: int


class _StaleSecret(msgspec.Struct, frozen=True):
    organization_id: UUID
    name: str
    sealed: bytes
    key_id: str


async def set_secret(
    db: Database,
    keys: SecretKeys,
    tenant: Tenant,
    name: str,
    value: str,
    *,
    kind: audit.ActorKind = "person",
) -> None:
    """Store or replace a secret, by admins and services.

    `name` is such as `openai_api_key` or `fathom_webhook_secret:ID`. Raises `InputInvalid`,
    `RoleForbidden`.
    """
    async with db.tenant_batch(tenant) as batch:
        put_secret(batch, keys, tenant, name, value, kind=kind)


def put_secret(
    statements: Statements,
    keys: SecretKeys,
    tenant: Tenant,
    name: str,
    value: str,
    *,
    kind: audit.ActorKind = "person",
) -> None:
    """As `set_secret`, along with what else the caller writes."""
    _check(name, value)
    sealed = keys.seal(tenant.organization_id, name, value)
    params = {
        "name": name,
        "sealed": sealed.sealed,
        "key_id": sealed.key_id,
        # Of a short secret even four characters would be too many.
        "hint": value[-4:] if len(value) >= 16 else "",
    }
    statements.queue(sql.set_secret, params)
    audit.record(statements, "secret.set", f"secret:{name}", kind=kind)


async def delete_secret(
    db: Database, tenant: Tenant, name: str, *, kind: audit.ActorKind = "person"
) -> None:
    """Remove a secret, by admins. Raises `RowMissing`, `RoleForbidden`."""
    _require_admin(tenant)
    async with db.tenant_transaction(tenant) as transaction:
        if not await drop_secret(transaction, name, kind=kind):
            raise RowMissing


async def drop_secret(
    transaction: Transaction, name: str, *, kind: audit.ActorKind = "person"
) -> bool:
    """Remove a secret along with what else the caller writes; whether there was one."""
    if await transaction.optional(sql.delete_secret, {"name": name}) is None:
        return False
    audit.record(transaction, "secret.deleted", f"secret:{name}", kind=kind)
    return True


async def list_secrets(db: Database, tenant: Tenant) -> list[SecretHint]:
    """Which secrets are set, by name; to admins. Raises `RoleForbidden`."""
    _require_admin(tenant)
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        hints = batch.add(sql.list_secrets, row=SecretHint)
    return hints.rows


async def open_secret(db: Database, keys: SecretKeys, tenant: Tenant, name: str) -> str | None:
    """The plain secret, or None when it is not set. Services only: `tenant.as_service()`.

    Raises `RoleForbidden` for anybody else, `SecretUnreadable` when it does not open.
    """
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.read_secret, {"name": name}, row=Sealed)
    sealed = found.optional()
    return None if sealed is None else keys.open(tenant.organization_id, name, sealed)


async def reseal_secrets(db: Database, keys: SecretKeys) -> Resealed:
    """Seal with the first key what older ones sealed, in every organization.

    Run it after putting a new key in front; when nothing is unreadable, the old one can go. Safe
    to repeat and to run twice at once.
    """
    done, unreadable = 0, 0
    after: _StaleSecret | None = None
    while True:
        params = {
            "key_id": keys.current,
            "after_organization": after.organization_id if after else None,
            "after_name": after.name if after else None,
            "max_rows": _RESEAL_BATCH,
        }
        async with db.system_batch(repeatable=True) as batch:
            stale = batch.add(sql.list_stale_secrets, params, row=_StaleSecret)
        if not stale.rows:
            return Resealed(done, unreadable)
        changes = [change for secret in stale.rows if (change := _reseal(keys, secret))]
        async with db.system_batch() as batch:
            replaced = [batch.add(sql.reseal_secret, change) for change in changes]
        done += sum(bool(pending.value()) for pending in replaced)
        unreadable += len(stale.rows) - len(changes)
        after = stale.rows[-1]


def _reseal(keys: SecretKeys, secret: _StaleSecret) -> dict[str, object] | None:
    old = Sealed(secret.sealed, secret.key_id)
    try:
        plain = keys.open(secret.organization_id, secret.name, old)
    except SecretUnreadable:
        return None
    fresh = keys.seal(secret.organization_id, secret.name, plain)
    return {
        "organization_id": secret.organization_id,
        "name": secret.name,
        "old_sealed": secret.sealed,
        "sealed": fresh.sealed,
        "key_id": fresh.key_id,
    }


def _check(name: str, value: str) -> None:
    check_text("value", value, longest=LONGEST)
    problems = []
    if not _NAME.fullmatch(name):
        problems.append(FieldProblem("name", "must be like openai_api_key"))
    if not value.strip():
        problems.append(FieldProblem("value", "is empty"))
    if problems:
        raise InputInvalid(errors=problems)


def _require_admin(tenant: Tenant) -> None:
    if not tenant.is_admin:
        raise RoleForbidden("Only an admin or owner may see or change secrets.")
