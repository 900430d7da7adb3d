"""Jobs, finished jobs, runs and cron ticks."""

from tidings.db.migrations.script import run_sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_sql("0005_queue.up")


def downgrade() -> None:
    run_sql("0005_queue.down")
