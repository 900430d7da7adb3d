"""Gateways: to which address of the customer's a channel's messages go, signed."""

from datetime import datetime
from typing import Literal

import msgspec

from tidings.base.errors import RoleForbidden, RowMissing
from tidings.base.tenant import Tenant
from tidings.base.webhook_signature import new_secret
from tidings.connectors.outgoing import Result
from tidings.connectors.targets import check_url
from tidings.connectors.webhook import WebhookConnector
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.tenancy import audit
from tidings.tenancy.secret_keys import SecretKeys
from tidings.tenancy.secrets import drop_secret, open_secret, put_secret

sql = load_queries("tidings.approvals")

GatewayChannel = Literal[
    "email", "chat", "slack", "whatsapp", "sms", "telegram", "web", "webhook", "other"
]

TEST_SECONDS = 10.0
"""A person waits for a test."""


class Gateway(msgspec.Struct, frozen=True):
    """Where a channel's messages go."""

    channel: str
    url: str
    created_at: datetime
    updated_at: datetime


class GatewayList(msgspec.Struct, frozen=True):
    """The organization's gateways."""

    items: list[Gateway]


class GatewaySecret(msgspec.Struct, frozen=True):
    """A gateway that was set; `secret` signs what is posted there and is shown this once."""

    channel: str
    url: str
    secret: str


class GatewayTest(msgspec.Struct, frozen=True):
    """What a test came to: `sent` when the gateway took it; `detail` in its own words."""

    result: Result
    detail: str


async def list_gateways(db: Database, tenant: Tenant) -> GatewayList:
    """Which channels leave by webhook, and where to; for admins."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.list_gateways, row=Gateway)
    return GatewayList(found.rows)


async def set_gateway(
    db: Database,
    keys: SecretKeys,
    tenant: Tenant,
    channel: GatewayChannel,
    url: str,
    *,
    allow_private: bool,
    kind: audit.ActorKind = "person",
) -> GatewaySecret:
    """Let a channel leave by signed webhook to `url`, with a new secret. For admins.

    Raises `InputInvalid` for an address that may not be called, `RoleForbidden`.
    """
    _require_admin(tenant)
    check_url(url, allow_private=allow_private)
    secret = new_secret()
    async with db.tenant_batch(tenant) as batch:
        # The gateway first: its row keeps two admins from mixing one's address and other's secret.
        batch.queue(sql.set_gateway, {"channel": channel, "url": url})
        put_secret(batch, keys, tenant, secret_name(channel), secret, kind=kind)
        audit.record(batch, "gateway.set", f"gateway:{channel}", {"url": url}, kind=kind)
    return GatewaySecret(channel, url, secret)


async def delete_gateway(
    db: Database, tenant: Tenant, channel: GatewayChannel, *, kind: audit.ActorKind = "person"
) -> None:
    """End a way out; what is approved for it waits. For admins. Raises `RowMissing`."""
    _require_admin(tenant)
    async with db.tenant_transaction(tenant) as transaction:
        if await transaction.optional(sql.delete_gateway, {"channel": channel}) is None:
            raise RowMissing
        await drop_secret(transaction, secret_name(channel), kind=kind)
        audit.record(transaction, "gateway.deleted", f"gateway:{channel}", kind=kind)


async def test_gateway(
    db: Database,
    keys: SecretKeys,
    tenant: Tenant,
    channel: GatewayChannel,
    *,
    allow_private: bool,
) -> GatewayTest:
    """Post a signed event that sends nothing on, and say what came of it. For admins.

    No transaction is open meanwhile. Raises `RowMissing`, `RoleForbidden`.
    """
    _require_admin(tenant)
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.find_gateway, {"channel": channel})
    gateway = found.optional()
    secret = await open_secret(db, keys, tenant.as_service(), secret_name(channel))
    if gateway is None or secret is None:
        raise RowMissing
    connector = WebhookConnector(
        gateway["url"], secret, allow_private=allow_private, seconds=TEST_SECONDS
    )
    outcome = await connector.test(channel)
    return GatewayTest(outcome.result, outcome.detail)


def secret_name(channel: str) -> str:
    """Under which name a gateway's secret is stored."""
    return f"gateway_secret:{channel}"


def _require_admin(tenant: Tenant) -> None:
    if not tenant.is_admin:
        raise RoleForbidden("Only an admin or owner may see or change gateways.")
