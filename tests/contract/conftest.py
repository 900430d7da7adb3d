"""Fixtures of the contract tests: one migrated database, looked at and put back."""

from collections.abc import Iterator

import psycopg
import pytest


@pytest.fixture(scope="session")
def contract_database(cluster) -> Iterator[str]:
    """A database that every contract test shares: whoever changes it rolls back."""
    name = cluster.clone()
    yield name
    cluster.drop(name)


@pytest.fixture
def schema(cluster, contract_database: str) -> Iterator[psycopg.Connection]:
    """The migrated schema as its superuser sees it, in a transaction that is rolled back."""
    yield from _rolled_back(cluster.url("postgres", contract_database))


@pytest.fixture
def app(cluster, contract_database: str) -> Iterator[psycopg.Connection]:
    """The migrated schema as tidings_app, in a transaction that is rolled back."""
    yield from _rolled_back(cluster.url("tidings_app", contract_database))


@pytest.fixture
def readonly(cluster, contract_database: str) -> Iterator[psycopg.Connection]:
    """The migrated schema as tidings_readonly, in a transaction that is rolled back."""
    yield from _rolled_back(cluster.url("tidings_readonly", contract_database))


def _rolled_back(url: str) -> Iterator[psycopg.Connection]:
    connection = psycopg.connect(url)
    yield connection
    connection.rollback()
    connection.close()
