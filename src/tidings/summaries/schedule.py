"""Digests by themselves: each morning, in each person's own time, of the day before."""

from datetime import date
from typing import Annotated

import msgspec

from tidings.base.tenant import Tenant
from tidings.base.zones import zone_of
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.summaries.start import DEADLINE, KIND

sql = load_queries("tidings.summaries")

EVERY = 300.0
"""Seconds between two looks."""
HOUR = 6
"""The local hour from which the digest of the day before is made, unless its owner says another."""
BATCH = 500


class DigestSchedule(msgspec.Struct, frozen=True):
    """When one's digest is made: from which local hour (null: not at all), in which IANA zone."""

    hour: Annotated[int, msgspec.Meta(ge=0, le=23)] | None
    timezone: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    digested_on: date | None = None


class _Look(msgspec.Struct, frozen=True):
    looked_at: int
    started: int


async def start_due_digests(db: Database, *, batch: int = BATCH) -> int:
    """Start the digests whose time has come, of every organization; returns how many.

    One for each member and local date, and none of a day on which nobody wrote. A date that came
    while no worker was up, or that a change of zone left out, has none.
    """
    total = 0
    while True:
        async with db.system_batch() as statements:
            found = statements.add(
                sql.start_due_digests,
                {"kind": KIND, "hour": HOUR, "deadline": DEADLINE, "most": batch},
                row=_Look,
            )
        look = found.one()
        total += look.started
        if look.looked_at < batch:
            return total


async def read_schedule(db: Database, tenant: Tenant) -> DigestSchedule:
    """When the acting person's digest is made."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.read_schedule, {"hour": HOUR}, row=DigestSchedule)
    return found.one()


async def set_schedule(db: Database, tenant: Tenant, schedule: DigestSchedule) -> DigestSchedule:
    """Set the acting person's hour and time zone. Raises `InputInvalid` for no time zone."""
    zone_of(schedule.timezone)
    async with db.tenant_batch(tenant) as batch:
        batch.queue(sql.set_digest_hour, {"hour": schedule.hour})
        batch.queue(sql.set_time_zone, {"timezone": schedule.timezone})
        found = batch.add(sql.read_schedule, {"hour": HOUR}, row=DigestSchedule)
    return found.one()
