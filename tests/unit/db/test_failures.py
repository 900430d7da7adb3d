import psycopg
import pytest
from psycopg import errors as pg
from psycopg_pool import PoolClosed

from tidings.base import errors
from tidings.db.failures import REPEATABLE, is_lost_connection, translate


def of(state: str) -> psycopg.Error:
    """A database error of this SQLSTATE."""
    try:
        kind = psycopg.errors.lookup(state)
    except KeyError:
        kind = type("OfOurs", (psycopg.DatabaseError,), {"sqlstate": state})
    return kind("it happened")


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("TD000", errors.TenantMissing),
        ("TD400", errors.InputInvalid),
        ("TD403", errors.RoleForbidden),
        ("TD404", errors.RowMissing),
        ("TD409", errors.StateConflict),
        ("TD412", errors.VersionStale),
        ("TD422", errors.IdempotencyMismatch),
        ("TD425", errors.IdempotencyBusy),
        ("TD429", errors.RateExceeded),
        ("TD499", errors.LeaseLost),
        ("42501", errors.RoleForbidden),
        ("3F000", errors.MigrationBroken),
        ("42P01", errors.MigrationBroken),
        ("53300", errors.DatabaseUnavailable),
        ("57P01", errors.DatabaseUnavailable),
        ("57P03", errors.DatabaseUnavailable),
        ("08006", errors.DatabaseUnavailable),
        ("57014", errors.DatabaseBusy),
        ("40001", errors.DatabaseBusy),
        ("40P01", errors.DatabaseBusy),
    ],
)
def test_a_state_is_one_of_our_errors(state: str, kind: type[errors.TidingsError]) -> None:
    assert type(translate(of(state))) is kind


@pytest.mark.parametrize("state", ["42601", "23505", "22P02"])
def test_a_defect_stays_what_it_is(state: str) -> None:
    error = of(state)
    assert translate(error) is error


def test_what_is_not_of_the_database_stays_what_it_is() -> None:
    error = KeyError("x")
    assert translate(error) is error
    assert not is_lost_connection(error)


def test_the_pool_says_when_to_try_again() -> None:
    closed = translate(PoolClosed())
    assert isinstance(closed, errors.DatabaseUnavailable)
    assert closed.retry_after == 2


def test_a_broken_connection_has_no_state() -> None:
    lost = psycopg.OperationalError("server closed the connection unexpectedly")
    assert is_lost_connection(lost)
    assert isinstance(translate(lost), errors.DatabaseUnavailable)
    assert is_lost_connection(pg.AdminShutdown("bye"))
    assert is_lost_connection(psycopg.DatabaseError("server closed the connection unexpectedly"))
    assert not is_lost_connection(psycopg.DataError("not of the server"))


def test_a_closed_pool_is_no_lost_connection() -> None:
    assert not is_lost_connection(PoolClosed())


@pytest.mark.parametrize("state", [*REPEATABLE, "57014"])
def test_a_failure_of_one_statement_is_no_lost_connection(state: str) -> None:
    assert not is_lost_connection(of(state))
