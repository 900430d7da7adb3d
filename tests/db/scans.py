"""What a transaction has read of a table: the counters of its own, told by no other session."""

from collections.abc import Mapping
from typing import Any

import psycopg

# Those of all sessions would not do: another one's are told late, or by chance.
SCANS = """
    SELECT CASE c.relkind WHEN 'i' THEN c.relname ELSE 'table' END,
        pg_stat_get_xact_numscans(c.oid), pg_stat_get_xact_tuples_returned(c.oid)
    FROM pg_class AS c
    WHERE c.oid = %(table)s::regclass OR c.oid IN (
        SELECT i.indexrelid FROM pg_index AS i WHERE i.indrelid = %(table)s::regclass)"""


async def scans(
    connection: psycopg.AsyncConnection[Any], table: str
) -> Mapping[str, tuple[int, int]]:
    """How often each index of a table, and the whole table, was scanned, and rows read."""
    found = await (await connection.execute(SCANS, {"table": table})).fetchall()
    return {name: (count, read) for name, count, read in found}
