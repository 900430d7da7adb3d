"""The current reading of a channel, its sentiment over time and the topics it spoke of."""

from tidings.db.migrations.script import run_sql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    run_sql("0016_intelligence.up")


def downgrade() -> None:
    run_sql("0016_intelligence.down")
