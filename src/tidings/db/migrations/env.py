"""Alembic's entry: runs the revisions over the connection that `db.migrate` opened."""

from alembic import context
from sqlalchemy import Connection

connection: Connection = context.config.attributes["connection"]

context.configure(
    connection=connection,
    version_table="schema_version",
    version_table_schema="tidings",
    transaction_per_migration=True,
)

with context.begin_transaction():
    context.run_migrations()
