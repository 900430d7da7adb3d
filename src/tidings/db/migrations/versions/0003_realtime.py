"""The outbox, its relay and what subscribers read."""

from tidings.db.migrations.script import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql("0003_realtime.up")


def downgrade() -> None:
    run_sql("0003_realtime.down")
