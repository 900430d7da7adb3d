"""Alerts of budgets; windows that a change of the time zone left open count until they end."""

from tidings.db.migrations.script import run_sql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run_sql("0012_ai_alerts.up")


def downgrade() -> None:
    run_sql("0012_ai_alerts.down")
