"""What intelligence forgets (the tables' retention rules), and trends that follow from the time."""

from datetime import timedelta

from tidings.db.queries import load_queries
from tidings.db.sweep import sweep
from tidings.db.transaction import Database

sql = load_queries("tidings.intelligence")

SENTIMENT_AGE = timedelta(days=90)
TOPIC_AGE = timedelta(days=60)
"""After the last mention."""
BATCH = 1000


async def sweep_intelligence(db: Database, *, batch: int = BATCH) -> int:
    """Delete readings and topics that are past their age; returns how many."""
    params = {"most": batch, "sentiment_age": SENTIMENT_AGE, "topic_age": TOPIC_AGE}
    return await sweep(db, sql.sweep_intelligence, params)


async def refresh_trends(db: Database) -> int:
    """Bring the stored trends of channels that were active lately up to now; how many changed."""
    async with db.system_batch() as statements:
        found = statements.add(sql.refresh_trends)
    changed: int = found.value()
    return changed
