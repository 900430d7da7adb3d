"""Runs one half of a revision: the plain SQL file beside it."""

from importlib import resources

from alembic import op


def run_sql(name: str) -> None:
    """Execute `sql/<name>.sql`, a script of several statements, as it stands."""
    text = resources.files(__package__).joinpath(f"sql/{name}.sql").read_text(encoding="utf-8")
    # The driver's own connection: SQLAlchemy would read `%` and `:` in the text as parameters.
    op.get_bind().connection.driver_connection.execute(text)  # type: ignore[union-attr]
