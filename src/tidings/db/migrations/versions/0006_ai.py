"""The ledger of AI calls."""

from tidings.db.migrations.script import run_sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_sql("0006_ai.up")


def downgrade() -> None:
    run_sql("0006_ai.down")
