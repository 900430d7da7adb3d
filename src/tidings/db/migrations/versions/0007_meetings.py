"""Meetings, who was invited, what was said, what was read in them, and where they come from."""

from tidings.db.migrations.script import run_sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql("0007_meetings.up")


def downgrade() -> None:
    run_sql("0007_meetings.down")
