"""Triggers that say which remembered values a change makes stale; benchmarks clean up."""

from tidings.db.migrations.script import run_sql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run_sql("0013_recall.up")


def downgrade() -> None:
    run_sql("0013_recall.down")
