"""The KV store, the prefixes that services own, and who watches what."""

from tidings.db.migrations.script import run_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_sql("0004_kv.up")


def downgrade() -> None:
    run_sql("0004_kv.down")
