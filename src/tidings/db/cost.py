"""What a tenant costs around a statement, measured on the database at hand."""

import statistics
import time

import msgspec

from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database

sql = load_queries("tidings.db")


class TenantCost(msgspec.Struct, frozen=True):
    """Medians in milliseconds of one statement: in a tenant batch, and by itself."""

    within: float
    alone: float

    @property
    def ratio(self) -> float:
        """How many times as long it takes for the tenant's sake."""
        return self.within / self.alone


async def measure_tenant_cost(database: Database, tenant: Tenant, count: int) -> TenantCost:
    """Run a statement that reads nothing `count` times each way, in turns."""
    within: list[float] = []
    alone: list[float] = []
    for _ in range(count):
        began = time.perf_counter()
        async with database.tenant_batch(tenant, repeatable=True) as batch:
            batch.queue(sql.point_read)
        between = time.perf_counter()
        async with database._primary.connection() as connection:
            await (await connection.execute(sql.point_read.sql.encode())).fetchall()
        within.append(between - began)
        alone.append(time.perf_counter() - between)
    return TenantCost(statistics.median(within) * 1000, statistics.median(alone) * 1000)
