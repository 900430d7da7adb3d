"""Organizations: making them, and their settings."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from tidings.base.errors import InputInvalid, RoleForbidden, RowMissing
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.base.zones import zone_of
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.tenancy import audit
from tidings.tenancy.passwords import hash_password
from tidings.tenancy.people import check_email, check_name

sql = load_queries("tidings.tenancy")

DEFAULT_SLUG = "default"
DEFAULT_NAME = "My organization"
DEFAULT_EMAIL = "owner@localhost"

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class Organization(msgspec.Struct, frozen=True):
    """A tenant and its settings; what AI may do is `ai.access`'s to read and change."""

    id: UUID
    name: str
    slug: str | None
    time_zone: str
    created_at: datetime


class OrganizationChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings to change; what is left out stays."""

    name: str | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET


class FoundOrganization(msgspec.Struct, frozen=True):
    """An organization with an owner, and whether it was just made."""

    organization_id: UUID
    user_id: UUID
    created: bool

    @property
    def tenant(self) -> Tenant:
        """The owner, acting."""
        return Tenant(self.organization_id, self.user_id, "owner")


async def create_organization(
    db: Database,
    name: str,
    owner_email: str,
    owner_name: str = "",
    password: str | None = None,
    *,
    slug: str | None = None,
) -> FoundOrganization:
    """Make an organization and its owner, as the operator.

    With a `slug` that exists it answers that one and changes nothing, also for two calls at once.
    A person who is known already keeps their name and password. Raises `InputInvalid`.
    """
    params = {
        "id": uuid7(),
        "name": check_name("name", name, required=True),
        "slug": _check_slug(slug),
        "owner_id": uuid7(),
        "owner_email": check_email(owner_email),
        "owner_name": check_name("owner_name", owner_name, required=False),
        "password_hash": None if password is None else await hash_password(password),
    }
    async with db.system_batch() as batch:
        found = batch.add(sql.create_organization, params, row=FoundOrganization)
    return found.one()


@asynccontextmanager
async def bench_organization(db: Database) -> AsyncIterator[Tenant]:
    """An organization of its own for the block, as the operator: gone afterwards with all in it."""
    name = f"bench-{uuid7().hex}"
    making = asyncio.create_task(create_organization(db, name, f"{name}@bench.invalid", slug=name))
    try:
        # Shielded: it may be there already when who waits for it is interrupted.
        yield (await asyncio.shield(making)).tenant
    finally:
        made = await making
        async with db.system_batch(repeatable=True) as batch:
            batch.queue(sql.remove_bench, {"id": made.organization_id})


async def find_organization(db: Database, slug: str) -> FoundOrganization:
    """The organization with that slug, as the operator. Raises `RowMissing`."""
    async with db.system_batch(repeatable=True) as batch:
        found = batch.add(sql.find_organization, {"slug": slug}, row=FoundOrganization)
    organization = found.optional()
    if organization is None:
        raise RowMissing(f"There is no organization with the slug {slug}.")
    return organization


async def ensure_default_organization(
    db: Database,
    *,
    name: str = DEFAULT_NAME,
    owner_email: str = DEFAULT_EMAIL,
    owner_name: str = "",
) -> FoundOrganization:
    """The organization that `tidings up` and `tidings demo` work in, made when missing."""
    return await create_organization(db, name, owner_email, owner_name, slug=DEFAULT_SLUG)


async def read_organization(db: Database, tenant: Tenant) -> Organization:
    """The tenant's organization."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.read_organization, row=Organization)
    return found.one()


async def update_organization(
    db: Database,
    tenant: Tenant,
    change: OrganizationChange,
    *,
    kind: audit.ActorKind = "person",
) -> Organization:
    """Change settings, recorded in the audit log. Raises `InputInvalid`, `RoleForbidden`."""
    if not tenant.is_admin:
        raise RoleForbidden("Only an admin or owner may change the organization's settings.")
    given = _check(change)
    params = {
        "name": given.get("name"),
        "time_zone": given.get("time_zone"),
    }
    async with db.tenant_batch(tenant) as batch:
        changed = batch.add(sql.update_organization, params, row=Organization)
        target = f"organization:{tenant.organization_id}"
        audit.record(batch, "organization.changed", target, given, kind=kind)
    return changed.one()


def _check_slug(slug: str | None) -> str | None:
    if slug is not None and not _SLUG.fullmatch(slug):
        problem = "must be 1 to 63 small letters, digits and hyphens"
        raise InputInvalid.of("slug", problem)
    return slug


def _check(change: OrganizationChange) -> dict[str, str]:
    given: dict[str, str] = {}
    if change.name is not UNSET:
        given["name"] = check_name("name", change.name, required=True)
    if change.time_zone is not UNSET:
        given["time_zone"] = zone_of(change.time_zone, "time_zone").key
    return given
