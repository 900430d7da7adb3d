"""Bounded reads of a batch; a new password ends sign-in links."""

from tidings.db.migrations.script import run_sql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    run_sql("0011_bounded_reads.up")


def downgrade() -> None:
    run_sql("0011_bounded_reads.down")
