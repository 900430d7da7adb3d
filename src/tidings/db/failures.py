"""What a database error means to the rest of Tidings."""

from collections.abc import Callable

import psycopg
from psycopg_pool import PoolClosed

from tidings.base.errors import (
    DatabaseBusy,
    DatabaseUnavailable,
    IdempotencyBusy,
    IdempotencyMismatch,
    InputInvalid,
    LeaseLost,
    MigrationBroken,
    RateExceeded,
    RoleForbidden,
    RowMissing,
    StateConflict,
    TenantMissing,
    TidingsError,
    VersionStale,
)

# The SQLSTATEs that our own SQL functions raise; the message is theirs.
_OWN: dict[str, type[TidingsError]] = {
    "TD000": TenantMissing,
    "TD400": InputInvalid,
    "TD403": RoleForbidden,
    "TD404": RowMissing,
    "TD409": StateConflict,
    "TD412": VersionStale,
    "TD422": IdempotencyMismatch,
    "TD425": IdempotencyBusy,
    "TD429": RateExceeded,
    "TD499": LeaseLost,
}

_THEIRS: dict[str, Callable[[], TidingsError]] = {
    "42501": RoleForbidden,
    "3F000": lambda: MigrationBroken("The database is not migrated; run `tidings migrate up`."),
    "42P01": lambda: MigrationBroken("The database is not migrated; run `tidings migrate up`."),
    "57014": lambda: DatabaseBusy("The database took too long; try again.", retry_after=2),
    "40001": lambda: DatabaseBusy("Others changed the same rows; try again.", retry_after=1),
    "40P01": lambda: DatabaseBusy("Others changed the same rows; try again.", retry_after=1),
}

REPEATABLE = ("40001", "40P01")
"""Serialization failure and deadlock: the transaction left nothing behind."""


def translate(error: Exception) -> Exception:
    """The error of base/errors.py that says this, or the error itself when it is a defect."""
    if isinstance(error, PoolClosed):
        return DatabaseUnavailable(retry_after=2)
    if not isinstance(error, psycopg.Error):
        return error
    state = error.sqlstate or ""
    if state in _OWN:
        return _OWN[state](error.diag.message_primary)
    if is_lost_connection(error) or state == "53300":
        return DatabaseUnavailable(retry_after=2)
    known = _THEIRS.get(state)
    return known() if known else error


def is_lost_connection(error: Exception) -> bool:
    """Whether the connection broke, so that the statement may or may not have run."""
    if isinstance(error, PoolClosed):
        return False
    # A plain DatabaseError is an answer of the server that broke off before its state was there.
    if not isinstance(error, psycopg.OperationalError) and type(error) is not psycopg.DatabaseError:
        return False
    state = error.sqlstate or ""
    return not state or state.startswith(("57P", "08"))
