"""Channels, their members, threads and messages."""

from tidings.db.migrations.script import run_sql

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    run_sql("0015_messages.up")


def downgrade() -> None:
    run_sql("0015_messages.down")
