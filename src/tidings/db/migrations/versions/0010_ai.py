"""Alerts of budgets; windows that a change of the time zone left open count until they end."""

from tidings.db.migrations.script import run_sql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_sql("0010_ai.up")


def downgrade() -> None:
    run_sql("0010_ai.down")
