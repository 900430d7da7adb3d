"""Organizations, people, credentials, audit log, rate limits and idempotency."""

from tidings.db.migrations.script import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql("0002_tenancy.up")


def downgrade() -> None:
    run_sql("0002_tenancy.down")
