"""The newest revision of this program, without loading what runs revisions."""

from importlib import resources

import psycopg

OLDEST_SERVER = 150000
"""As server_version_num: the first that can set one column of a key to NULL on delete."""


def head_revision() -> str:
    """The number of the newest revision, from the files' names: `0008_engagement.py` is 0008."""
    folder = resources.files("tidings.db").joinpath("migrations", "versions")
    numbers = (file.name.partition("_")[0] for file in folder.iterdir())
    return max(number for number in numbers if number.isdigit())


def is_migrated(url: str) -> bool:
    """Whether a database is at the newest revision; False for an empty one."""
    with psycopg.connect(url) as connection:
        try:
            row = connection.execute("SELECT version_num FROM tidings.schema_version").fetchone()
        except psycopg.errors.Error:
            return False
    return row is not None and row[0] == head_revision()
