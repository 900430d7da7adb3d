"""Fathom's webhook: an address per hook, a signature, each delivery taken in once."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from tidings.base import clock
from tidings.base.errors import RowMissing
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.base.webhook_signature import check_secret, verify
from tidings.db.queries import load_queries
from tidings.db.sweep import sweep
from tidings.db.transaction import Database
from tidings.meetings.capture import Captured, capture_in
from tidings.meetings.fathom_webhook import parse_event
from tidings.tenancy import audit
from tidings.tenancy.secret_keys import SecretKeys
from tidings.tenancy.secrets import open_secret, set_secret
from tidings.tenancy.tokens import hash_token

sql = load_queries("tidings.meetings")

_SWEEP_BATCH = 1000


class NewHook(msgspec.Struct, frozen=True):
    """A new address; the token is shown this once."""

    id: UUID
    token: str


class Hook(msgspec.Struct, frozen=True):
    """An address as it is listed."""

    id: UUID
    created_at: datetime
    revoked_at: datetime | None


class Delivered(msgspec.Struct, frozen=True):
    """What became of a delivery; `duplicate` when its id had come before."""

    duplicate: bool
    captured: Captured = Captured()


class _Found(msgspec.Struct, frozen=True):
    organization_id: UUID
    hook_id: UUID
    user_id: UUID


async def create_hook(
    db: Database,
    keys: SecretKeys,
    tenant: Tenant,
    signing_secret: str,
    *,
    kind: audit.ActorKind = "person",
) -> NewHook:
    """Make an address for deliveries signed with `signing_secret` (`whsec_…`, from Fathom).

    Raises `RoleForbidden` for all but admins. The secret is stored first: an address without one
    would refuse every delivery.
    """
    hook = NewHook(uuid7(), secrets.token_urlsafe(24))
    name = secret_name(hook.id)
    await set_secret(db, keys, tenant, name, check_secret(signing_secret), kind=kind)
    async with db.tenant_batch(tenant) as batch:
        batch.queue(
            sql.insert_hook,
            {"id": hook.id, "user_id": tenant.user_id, "token_hash": hash_token(hook.token)},
        )
        audit.record(batch, "hook.created", f"hook:{hook.id}", kind=kind)
    return hook


async def list_hooks(db: Database, tenant: Tenant) -> list[Hook]:
    """The organization's addresses, for admins."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.list_hooks, row=Hook)
    return found.rows


async def revoke_hook(
    db: Database, tenant: Tenant, hook_id: UUID, *, kind: audit.ActorKind = "person"
) -> None:
    """End an address. Raises `RowMissing` when there is none that works."""
    async with db.tenant_transaction(tenant) as transaction:
        if await transaction.execute(sql.revoke_hook, {"id": hook_id}) == 0:
            raise RowMissing("There is no such webhook address here.")
        audit.record(transaction, "hook.revoked", f"hook:{hook_id}", kind=kind)


async def receive(
    db: Database,
    keys: SecretKeys,
    token: str,
    headers: Mapping[str, str],
    read: Callable[[], Awaitable[bytes]],
) -> Delivered:
    """Check a delivery and store its meeting, in one transaction with the note of its id.

    Its body is read once the token is known: nobody else makes us take in megabytes. Raises
    `RowMissing` for an unknown token, `SignatureInvalid`, `InputInvalid` for a bad meeting. Any
    other failure leaves nothing behind, so that a repeat of the delivery is taken in.
    """
    async with db.system_batch(repeatable=True) as batch:
        found = batch.add(sql.find_hook, {"token_hash": hash_token(token)}, row=_Found)
    hook = found.optional()
    if hook is None:
        raise RowMissing
    tenant = Tenant(hook.organization_id, hook.user_id, "service")
    secret = await open_secret(db, keys, tenant, secret_name(hook.hook_id))
    if secret is None:
        raise RowMissing
    body = await read()
    delivery_id = verify(headers, body, secret, clock.now())
    item = parse_event(body)
    async with db.tenant_transaction(tenant) as transaction:
        taken = await transaction.optional(
            sql.take_delivery, {"hook_id": hook.hook_id, "delivery_id": delivery_id}
        )
        if taken is None:
            return Delivered(True)
        return Delivered(False, await capture_in(transaction, "fathom", [item]))


async def sweep_deliveries(db: Database) -> int:
    """Forget delivery ids older than 30 days, in batches; how many."""
    return await sweep(db, sql.sweep_deliveries, {"max": _SWEEP_BATCH})


def secret_name(hook_id: UUID) -> str:
    """Under which name a hook's signing secret is stored."""
    return f"fathom_webhook_secret:{hook_id}"
