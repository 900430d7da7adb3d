"""Migrations: `up`, `down` and `status`, over one direct connection as the owner.

Alembic is synchronous; callers run these functions in a thread when a loop is running.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources

import msgspec
import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from tidings.base.errors import DatabaseBusy, DatabaseUnavailable, MigrationBroken
from tidings.db.failures import is_lost_connection
from tidings.db.revisions import OLDEST_SERVER, head_revision
from tidings.db.roles import ensure_roles

# Waiting for a lock longer than this would stall the old code that still runs.
LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "10min"

# One migration at a time, whoever starts it.
_ADVISORY_KEY = 0x7469_6469  # "tidi"


class MigrationStatus(msgspec.Struct, frozen=True):
    """Where the database is and where this program wants it."""

    current: str | None
    head: str
    pending: list[str]

    @property
    def is_current(self) -> bool:
        """Whether there is nothing to do."""
        return self.current == self.head


def migrate_up(owner_url: str, target: str = "head") -> MigrationStatus:
    """Bring the database up to `target`; safe to call twice and from two processes at once."""
    with _session(owner_url) as config:
        command.upgrade(config, target)
    return migration_status(owner_url)


def migrate_down(owner_url: str, target: str) -> MigrationStatus:
    """Take the database down to `target`: a revision, `-1`, or `base`."""
    with _session(owner_url) as config:
        command.downgrade(config, target)
    return migration_status(owner_url)


def migration_status(url: str) -> MigrationStatus:
    """Compare the database with the revisions of this program; needs no owner rights."""
    scripts = ScriptDirectory.from_config(_config())
    head = head_revision()
    with psycopg.connect(url) as connection:
        try:
            row = connection.execute("SELECT version_num FROM tidings.schema_version").fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            row = None
        except psycopg.errors.InsufficientPrivilege:
            row = None
    current = str(row[0]) if row else None
    known = [script.revision for script in scripts.walk_revisions()][::-1]
    if current is not None and current not in known:
        raise MigrationBroken(
            f"The database is at revision {current}, which this version of Tidings does not know; "
            "install the newer version that migrated it."
        )
    start = known.index(current) + 1 if current else 0
    return MigrationStatus(current, head, known[start:])


@contextmanager
def _session(owner_url: str) -> Iterator[Config]:
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: _connect(owner_url), poolclass=sqlalchemy.NullPool
    )
    try:
        with engine.connect() as connection:
            config = _config()
            config.attributes["connection"] = connection
            yield config
            connection.commit()
    except CommandError as error:
        raise MigrationBroken(f"There is no such step: {error}.") from error
    except sqlalchemy.exc.DBAPIError as error:
        raise _as_ours(error.orig) from error
    except psycopg.Error as error:
        raise _as_ours(error) from error
    finally:
        engine.dispose()


def _as_ours(error: BaseException | None) -> BaseException:
    """What a person can act on; any other database error is a defect of a revision, as it is."""
    if isinstance(error, (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled)):
        return DatabaseBusy(
            "Others hold the tables that this step changes; it changed nothing. Try again at a "
            "quieter moment.",
            retry_after=30,
        )
    if isinstance(error, psycopg.Error) and is_lost_connection(error):
        return DatabaseUnavailable(f"The database cannot be reached: {error}", retry_after=2)
    assert error is not None
    return error


def _connect(owner_url: str) -> psycopg.Connection:
    connection = psycopg.connect(owner_url, autocommit=True)
    try:
        _require_server(connection)
        connection.execute("SELECT pg_advisory_lock(%s)", [_ADVISORY_KEY])
        ensure_roles(connection)
        connection.execute("SET ROLE tidings_owner")
        connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        connection.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
        connection.execute("SET search_path = ''")
        connection.autocommit = False
    except BaseException:
        connection.close()
        raise
    return connection


def _require_server(connection: psycopg.Connection) -> None:
    version = connection.info.server_version
    if version < OLDEST_SERVER:
        raise MigrationBroken(
            f"The database is PostgreSQL {version // 10_000}, and Tidings needs "
            f"{OLDEST_SERVER // 10_000} or newer; nothing was changed. Move to a newer server."
        )
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise MigrationBroken(
            f"The database is in {encoding}, and Tidings needs one in UTF-8; nothing was changed. "
            "Make it with `CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`."
        )


def _config() -> Config:
    config = Config()
    config.set_main_option(
        "script_location", str(resources.files("tidings.db").joinpath("migrations"))
    )
    return config
