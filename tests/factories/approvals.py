"""Approvals and what sends them, for tests of either."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec
from pydantic import SecretStr

from tidings.approvals.decisions import Choice, decide_one
from tidings.approvals.draft import NewApproval, draft
from tidings.approvals.read import Approval, get_approval
from tidings.approvals.send import Sender
from tidings.approvals.ways import Ways
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.connectors.testing import FakeSmtp
from tidings.db.queries import Query
from tidings.db.transaction import Database
from tidings.tenancy.secret_keys import load_secret_keys

BASE_URL = "https://tidings.example"
MAIL = NewApproval(
    type="email", channel="email", to="bo@example.com", subject="Hello", content="Hello Bo."
)
NO_GAPS = "hours_start = 0, hours_end = 1440, limits = '{}'"


async def set_policy(db: Database, tenant: Tenant, changes: str = NO_GAPS) -> None:
    """Change the send policy past its checks, by SQL; without `changes` nothing is held back."""
    query = Query("set_policy", "Changes it.", f"UPDATE tidings.send_policies SET {changes}")
    async with db.tenant_batch(tenant) as batch:
        batch.queue(query)


async def make_draft(db: Database, tenant: Tenant, **changes: Any) -> UUID:
    """A draft of a mail to Bo, with these fields changed."""
    async with db.tenant_transaction(tenant) as transaction:
        return draft(transaction, msgspec.structs.replace(MAIL, **changes))


async def make_approved(db: Database, tenant: Tenant, **changes: Any) -> UUID:
    """The same, approved by the tenant's user."""
    approval_id = await make_draft(db, tenant, **changes)
    async with db.tenant_transaction(tenant) as transaction:
        await decide_one(transaction, "approve", Choice(approval_id))
    return approval_id


def make_sender(db: Database, settings: Settings, **changes: Any) -> Sender:
    """A sender with these settings."""
    given = settings.model_copy(update={"smtp_from": "Us <us@house.example>", **changes})
    return Sender(db, Ways(db, load_secret_keys(given), given), BASE_URL)


@asynccontextmanager
async def mail_house(db: Database, settings: Settings) -> AsyncIterator[tuple[Sender, FakeSmtp]]:
    """A sender and the mail server that it hands in at."""
    async with FakeSmtp() as server:
        yield make_sender(db, settings, smtp_url=SecretStr(server.url)), server


async def state_of(db: Database, tenant: Tenant, approval_id: UUID) -> Approval:
    """The approval as a person of the organization reads it."""
    return await get_approval(db, tenant, approval_id)
