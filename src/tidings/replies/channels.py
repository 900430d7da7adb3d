"""The channels that somebody's rules can name."""

from uuid import UUID

import msgspec

from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database

sql = load_queries("tidings.replies")


class NamedChannel(msgspec.Struct, frozen=True):
    """A channel by its name."""

    id: UUID
    name: str
    kind: str


async def my_channels(db: Database, tenant: Tenant) -> list[NamedChannel]:
    """The channels that the tenant is a member of, by name."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.my_channels, row=NamedChannel)
    return found.rows
