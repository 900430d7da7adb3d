"""Budgets, reservations, the response cache and the record of what left."""

from tidings.db.migrations.script import run_sql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_sql("0009_ai_gateway.up")


def downgrade() -> None:
    run_sql("0009_ai_gateway.down")
