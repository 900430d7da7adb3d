"""What the queue forgets: finished jobs, old runs, old ticks (the tables' retention rules)."""

from datetime import timedelta

from tidings.db.queries import load_queries
from tidings.db.sweep import sweep
from tidings.db.transaction import Database
from tidings.queue.cron import CronEntry
from tidings.queue.schedule import Every

sql = load_queries("tidings.queue")

DONE_AGE = timedelta(days=7)
FAILED_AGE = timedelta(days=30)
RUN_AGE = timedelta(days=90)
BATCH = 1000


async def sweep_queue(db: Database, *, batch: int = BATCH) -> int:
    """Delete what is past its age, `batch` rows a statement; returns how many rows."""
    ages = {"done_age": DONE_AGE, "failed_age": FAILED_AGE}
    swept = await sweep(db, sql.sweep_finished, {"most": batch, **ages})
    swept += await sweep(db, sql.sweep_runs, {"most": batch, "age": RUN_AGE})
    async with db.system_batch() as statements:
        statements.queue(sql.sweep_workers)
    return swept


def queue_schedules(db: Database) -> list[CronEntry]:
    """The queue's own schedules, for a worker."""

    async def run() -> None:
        await sweep_queue(db)

    return [CronEntry(name="sweep_queue", schedule=Every(3600), run=run)]
