"""Mailboxes: where the mail of a channel is fetched, and how far it is."""

from tidings.db.migrations.script import run_sql

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    run_sql("0021_mailboxes.up")


def downgrade() -> None:
    run_sql("0021_mailboxes.down")
