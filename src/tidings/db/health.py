"""Whether the database answers and has the schema that this program needs."""

from functools import cache

from tidings.base.errors import MigrationBroken
from tidings.db.queries import load_queries
from tidings.db.revisions import head_revision
from tidings.db.transaction import Database

sql = load_queries("tidings.db")

_head = cache(head_revision)


async def check_schema(db: Database) -> str:
    """The revision, when it is the one needed or a newer one: one round trip.

    A newer one is safe beside this program, which goes on until it is replaced. Raises
    `MigrationBroken`.
    """
    async with db.system_batch(repeatable=True) as batch:
        found = batch.add(sql.schema_revision)
    row = found.optional()
    current = str(row["version_num"]) if row else ""
    if current < _head():
        raise MigrationBroken(
            f"The database is at revision {current or 'nothing'}, this program needs {_head()}; "
            "run `tidings migrate up`."
        )
    return current
