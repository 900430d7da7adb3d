"""The demo's summaries: what is new, and a few channels whole."""

from uuid import UUID

from tidings.ai.gateway import Gateway
from tidings.base.cursor import Page
from tidings.base.tenant import Tenant
from tidings.db.transaction import Database
from tidings.summaries.ask import AskRequest
from tidings.summaries.read import overview
from tidings.summaries.start import acting, ask, start

CHANNELS = 3


async def load_summaries_sample(db: Database, gateway: Gateway, tenant: Tenant) -> list[UUID]:
    """Start the sample's summaries, unless there are some or nothing to read; the runs' ids."""
    there = await overview(db, tenant, Page(1))
    unread = [channel for channel in there.channels if channel.unread][:CHANNELS]
    if there.summaries.items or not unread:
        return []
    requests = [AskRequest(type="catch_up", engine="local")]
    requests += [AskRequest(type="channel", reference=one.id, engine="local") for one in unread]
    asked = [await ask(db, gateway, tenant, request) for request in requests]
    async with db.tenant_transaction(acting(tenant)) as transaction:
        return [(await start(transaction, one)).run_id for one in asked]
