"""Approvals, do-not-contact, the send policy, and the one claim that checks them all."""

from tidings.db.migrations.script import run_sql

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    run_sql("0017_approvals.up")


def downgrade() -> None:
    run_sql("0017_approvals.down")
