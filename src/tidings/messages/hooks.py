"""Messages by webhook: an address per channel and sender, and a signature on what it posts."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from tidings.base import clock
from tidings.base.errors import FieldProblem, InputInvalid, RowMissing
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.base.webhook_signature import check_secret, new_secret, verify
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.messages.channels import get_channel
from tidings.messages.ingest import Ingested, ingest
from tidings.messages.item import decode_items
from tidings.tenancy import audit
from tidings.tenancy.secret_keys import SecretKeys
from tidings.tenancy.secrets import open_secret, put_secret
from tidings.tenancy.tokens import hash_token

sql = load_queries("tidings.messages")


class NewMessageHook(msgspec.Struct, frozen=True):
    """A new address; token and secret are shown this once."""

    id: UUID
    token: str
    signing_secret: str


class MessageHook(msgspec.Struct, frozen=True):
    """An address as it is listed."""

    id: UUID
    created_at: datetime
    revoked_at: datetime | None


class _Found(msgspec.Struct, frozen=True):
    organization_id: UUID
    hook_id: UUID
    channel_id: UUID
    user_id: UUID


async def create_message_hook(
    db: Database,
    keys: SecretKeys,
    tenant: Tenant,
    channel_id: UUID,
    signing_secret: str | None = None,
    *,
    kind: audit.ActorKind = "person",
) -> NewMessageHook:
    """Make an address that posts into a channel, by admins.

    `signing_secret` is `whsec_` and base64; without one, a new one is made. Raises `RowMissing`,
    `InputInvalid`, `RoleForbidden`.
    """
    secret = check_secret(signing_secret or new_secret())
    hook = NewMessageHook(uuid7(), secrets.token_urlsafe(24), secret)
    await get_channel(db, tenant, channel_id)
    async with db.tenant_batch(tenant) as batch:
        put_secret(batch, keys, tenant, secret_name(hook.id), secret, kind=kind)
        batch.queue(
            sql.insert_message_hook,
            {"id": hook.id, "channel_id": channel_id, "token_hash": hash_token(hook.token)},
        )
        audit.record(batch, "hook.created", f"message_hook:{hook.id}", kind=kind)
    return hook


async def list_message_hooks(db: Database, tenant: Tenant, channel_id: UUID) -> list[MessageHook]:
    """A channel's addresses, for admins. Raises `RowMissing`."""
    await get_channel(db, tenant, channel_id)
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.list_message_hooks, {"channel_id": channel_id}, row=MessageHook)
    return found.rows


async def revoke_message_hook(
    db: Database,
    tenant: Tenant,
    channel_id: UUID,
    hook_id: UUID,
    *,
    kind: audit.ActorKind = "person",
) -> None:
    """End an address, and forget its secret. Raises `RowMissing` when there is none that works."""
    async with db.tenant_transaction(tenant) as transaction:
        params = {"channel_id": channel_id, "id": hook_id}
        if await transaction.execute(sql.revoke_message_hook, params) == 0:
            raise RowMissing("There is no such webhook address here.")
        audit.record(transaction, "hook.revoked", f"message_hook:{hook_id}", kind=kind)


async def receive_messages(
    db: Database,
    keys: SecretKeys,
    token: str,
    headers: Mapping[str, str],
    read: Callable[[], Awaitable[bytes]],
) -> Ingested:
    """Check a delivery and take its messages in; a repeated one finds them there already.

    The body is `{"items": […]}` as the API takes it, alone or under `data` of an envelope; it is
    read once the token is known. Raises `RowMissing` for an unknown token, `SignatureInvalid`,
    `InputInvalid` for a body that is none.
    """
    async with db.system_batch(repeatable=True) as batch:
        found = batch.add(sql.find_message_hook, {"token_hash": hash_token(token)}, row=_Found)
    hook = found.optional()
    if hook is None:
        raise RowMissing
    tenant = Tenant(hook.organization_id, hook.user_id, "service")
    secret = await open_secret(db, keys, tenant, secret_name(hook.hook_id))
    if secret is None:
        raise RowMissing
    body = await read()
    verify(headers, body, secret, clock.now())
    items, errors = decode_items(_items(body))
    taken = await ingest(db, tenant, hook.channel_id, items)
    return msgspec.structs.replace(taken, errors=errors)


def _items(body: bytes) -> list[object]:
    try:
        event = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _invalid("body", "is not valid JSON") from None
    within = event.get("data", event) if isinstance(event, dict) else None
    items = within.get("items") if isinstance(within, dict) else None
    if not isinstance(items, list):
        raise _invalid("items", "is missing")
    return items


def secret_name(hook_id: UUID) -> str:
    """Under which name a hook's signing secret is stored."""
    return f"message_webhook_secret:{hook_id}"


def _invalid(field: str, problem: str) -> InputInvalid:
    return InputInvalid(f"{field}: {problem}.", errors=[FieldProblem(field, problem)])
