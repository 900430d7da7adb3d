"""Conversation summaries, their cache, and who sees them."""

from tidings.db.migrations.script import run_sql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    run_sql("0019_summaries.up")


def downgrade() -> None:
    run_sql("0019_summaries.down")
