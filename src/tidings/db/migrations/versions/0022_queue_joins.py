"""The queue's joins begin with the few rows that are asked for, whatever the statistics say."""

from tidings.db.migrations.script import run_sql

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    run_sql("0022_queue_joins.up")


def downgrade() -> None:
    run_sql("0022_queue_joins.down")
