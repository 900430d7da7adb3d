"""Starting a summary and asking how it stands."""

from uuid import UUID

import msgspec

from tidings.base import clock
from tidings.base.errors import RoleForbidden
from tidings.base.ids import uuid7
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Transaction
from tidings.engagement.record import Record, record_key
from tidings.meetings.domains import normalise_domain

sql = load_queries("tidings.engagement")


class StartRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """What a caller asks for; `domain` in any spelling that `normalise_domain` takes."""

    domain: str
    force: bool = False
    include_subdomains: bool = False
    sync: bool | None = None
    """True: fail without a Fathom key; None: sync when there is one; False: read what is stored."""
    engine: str | None = None


class Args(msgspec.Struct, frozen=True):
    """The arguments of the job."""

    domain: str
    include_subdomains: bool = False
    sync: bool | None = None
    engine: str | None = None


class Started(msgspec.Struct, frozen=True):
    """The run that will make the summary; `created` is False for one already under way."""

    domain: str
    run_id: UUID
    created: bool


def domain_of(request: StartRequest) -> str:
    """The normalised domain of a request. Raises `DomainInvalid`."""
    return normalise_domain(request.domain)


def acting(tenant: Tenant) -> Tenant:
    """The tenant that starts run and record: a service, for somebody who may write."""
    if not tenant.may_write:
        raise RoleForbidden
    return tenant.as_service()


async def start(transaction: Transaction, settings: Settings, request: StartRequest) -> Started:
    """Run, job, event and record in the caller's transaction (of `acting(tenant)`): one round trip.

    The run under way of the same domain is returned instead, unless `force`. Two at once start one.
    """
    domain = domain_of(request)
    run_id, now = uuid7(), clock.now()
    args = Args(domain, request.include_subdomains, request.sync, request.engine)
    record = Record(
        domain=domain,
        run_id=run_id,
        status="processing",
        created_at=now,
        updated_at=now,
        engine=request.engine or settings.engine,
        include_subdomains=request.include_subdomains,
    )
    row = await transaction.one(
        sql.start,
        {
            "run_id": run_id,
            "domain": domain,
            "args": msgspec.json.encode(args).decode(),
            "force": request.force,
            "record": msgspec.json.encode(record).decode(),
            "deadline": settings.engagement_deadline,
            "retention": settings.engagement_retention,
        },
    )
    return Started(domain, row["run_id"], row["created"])


async def get_record(db: Database, tenant: Tenant, domain: str, run_id: UUID) -> Record | None:
    """The record of a run, or None when it is unknown or expired: one round trip."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.get_record, {"key": record_key(normalise_domain(domain), run_id)})
    row = found.optional()
    return msgspec.convert(row["value"], Record) if row else None
