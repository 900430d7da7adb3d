"""Auto-responses: rules, what became of each message, how far each channel was considered."""

from tidings.db.migrations.script import run_sql

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    run_sql("0018_replies.up")


def downgrade() -> None:
    run_sql("0018_replies.down")
