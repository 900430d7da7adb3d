"""Organizations with an owner, made by plain SQL: tests of tenancy do not test themselves."""

from uuid import UUID

import msgspec
import psycopg

from tidings.base.ids import uuid7
from tidings.base.tenant import Role, Tenant


class Organization(msgspec.Struct, frozen=True):
    """An organization and its owner."""

    organization_id: UUID
    user_id: UUID

    @property
    def tenant(self) -> Tenant:
        """The owner, acting."""
        return Tenant(self.organization_id, self.user_id, "owner")

    def acting(self, role: Role) -> Tenant:
        """The same user in another role."""
        return Tenant(self.organization_id, self.user_id, role)


async def make_organization(superuser_url: str, name: str) -> Organization:
    made = Organization(uuid7(), uuid7())
    async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
        await connection.execute(
            "INSERT INTO tidings.organizations (id, name) VALUES (%s, %s)",
            [made.organization_id, name],
        )
        await connection.execute(
            "INSERT INTO tidings.users (id, email, name) VALUES (%s, %s, %s)",
            [made.user_id, f"owner-{made.user_id}@example.com", "The Owner"],
        )
        await connection.execute(
            "INSERT INTO tidings.organization_members (organization_id, user_id, role) "
            "VALUES (%s, %s, 'owner')",
            [made.organization_id, made.user_id],
        )
    return made


async def add_member(superuser_url: str, organization: Organization, role: Role) -> Tenant:
    """Another person of the organization, acting in that role."""
    user_id = uuid7()
    async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
        await connection.execute(
            "INSERT INTO tidings.users (id, email, name) VALUES (%s, %s, %s)",
            [user_id, f"{role}-{user_id}@example.com", f"The {role.title()}"],
        )
        await connection.execute(
            "INSERT INTO tidings.organization_members (organization_id, user_id, role) "
            "VALUES (%s, %s, %s)",
            [organization.organization_id, user_id, role],
        )
    return Tenant(organization.organization_id, user_id, role)
