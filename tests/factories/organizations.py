"""Organizations with an owner, made by plain SQL: tests of tenancy do not test themselves."""

from typing import Any
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


_INSERT = (
    "WITH o AS (INSERT INTO tidings.organizations (id, name)"
    " VALUES (%(organization)s, %(name)s)),"
    " u AS (INSERT INTO tidings.users (id, email, name) VALUES (%(user)s, %(email)s, 'The Owner'))"
    " INSERT INTO tidings.organization_members (organization_id, user_id, role)"
    " VALUES (%(organization)s, %(user)s, 'owner')"
)


def _new(name: str) -> tuple[Organization, dict[str, Any]]:
    made = Organization(uuid7(), uuid7())
    email = f"owner-{made.user_id}@example.com"
    ids = {"organization": made.organization_id, "user": made.user_id}
    return made, ids | {"name": name, "email": email}


def insert_organization(connection: "psycopg.Connection[Any]", name: str) -> Organization:
    """Over a connection of the superuser."""
    made, values = _new(name)
    connection.execute(_INSERT, values)
    return made


async def make_organization(superuser_url: str, name: str) -> Organization:
    made, values = _new(name)
    async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
        await connection.execute(_INSERT, values)
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
