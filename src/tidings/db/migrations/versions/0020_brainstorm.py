"""Brainstorms: boards of ideas that several people change at once, and the engine's answers."""

from tidings.db.migrations.script import run_sql

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    run_sql("0020_brainstorm.up")


def downgrade() -> None:
    run_sql("0020_brainstorm.down")
