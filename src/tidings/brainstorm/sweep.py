"""Answers about brainstorms are kept for 24 hours."""

from tidings.brainstorm.board import sql
from tidings.db.transaction import Database


async def sweep_brainstorm_answers(database: Database) -> int:
    """Delete the answers whose time is over; how many went."""
    async with database.system_batch(repeatable=True) as batch:
        gone = batch.add(sql.cleanup_answers)
    count: int = gone.value()
    return count
