"""Lanes: claims fair between organizations and flat; blocked jobs, concurrency keys."""

from tidings.db.migrations.script import run_sql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_sql("0010_queue_lanes.up")


def downgrade() -> None:
    run_sql("0010_queue_lanes.down")
