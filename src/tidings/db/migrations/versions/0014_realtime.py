"""Presence, row changes, notice of changed access, and the bridge to another realtime service."""

from tidings.db.migrations.script import run_sql

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    run_sql("0014_realtime.up")


def downgrade() -> None:
    run_sql("0014_realtime.down")
