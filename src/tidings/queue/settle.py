"""Settling lanes: claims of an organization begin to read where its first job is.

What was claimed stays in the index until the last transaction that could see it has ended; a lane
that moves on makes that cheap for as long as it takes (the revision 0010 says how).
"""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from tidings.base.errors import InputInvalid
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.queue.claim import ClaimedJob
from tidings.queue.duty import attempt

sql = load_queries("tidings.queue")

EVERY = 4000
"""Claims of one organization after which a worker settles its lane."""


async def settle_lanes(db: Database, organizations: Sequence[UUID] | None = None) -> None:
    """Move these lanes up to their first job; None: all that may have one."""
    given = None if organizations is None else list(organizations)
    async with db.system_batch() as batch:
        batch.queue(sql.settle_lanes, {"organizations": given})


async def weigh_lane(db: Database, organization_id: UUID, weight: int) -> None:
    """Give an organization `weight` jobs (1 to 100) for each one of an organization of weight 1.

    For operators. Raises `InputInvalid`, and `RowMissing` for an organization that is not.
    """
    if not 1 <= weight <= 100:
        raise InputInvalid("A weight is a whole number from 1 to 100.")
    async with db.system_batch() as batch:
        batch.queue(sql.weigh_lane, {"organization_id": organization_id, "weight": weight})


class Settling:
    """Counts claims, and settles the lanes that had many."""

    def __init__(self, db: Database) -> None:
        """Nothing is counted yet."""
        self._db = db
        self._claims: Counter[UUID] = Counter()

    async def count(self, claimed: Sequence[ClaimedJob]) -> None:
        """So many more were claimed."""
        if not claimed:
            return
        self._claims.update([job.organization_id for job in claimed])
        many = [organization for organization, n in self._claims.items() if n >= EVERY]
        if not many:
            return
        for organization in many:
            del self._claims[organization]

        async def settle() -> None:
            await settle_lanes(self._db, many)

        await attempt("settle", settle)
