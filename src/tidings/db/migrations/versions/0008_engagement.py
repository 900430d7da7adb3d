"""Engagement summaries: their record in the KV store follows the run; the organization's edits."""

from tidings.db.migrations.script import run_sql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_sql("0008_engagement.up")


def downgrade() -> None:
    run_sql("0008_engagement.down")
