"""Bounded reads of a batch; what a request costs."""

from tidings.db.migrations.script import run_sql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_sql("0010_doors.up")


def downgrade() -> None:
    run_sql("0010_doors.down")
