"""Does the live schema say what the revisions say?

`migrations/catalog.txt` is the catalog of a freshly migrated database, one sorted line per object
(role, table, column, constraint, index, function, trigger, policy, grant, comment). A contract test
holds it against the revisions; `make listings` writes it anew. Nothing here needs a scratch
database, owner rights or a lock, so that it runs against any deployment.
"""

from collections.abc import Iterator, Mapping
from importlib import resources

import msgspec
import psycopg

from tidings.db.queries import load_queries

sql = load_queries("tidings.db.catalog")

_PARTS = (
    sql.roles,
    sql.relations,
    sql.columns,
    sql.constraints,
    sql.indexes,
    sql.functions,
    sql.triggers,
    sql.policies,
    sql.types,
    sql.grants,
    sql.defaults,
    sql.comments,
)

Catalog = Mapping[str, str]
"""Definitions by object: `column jobs.id` → `uuid not null`."""


class Difference(msgspec.Struct, frozen=True):
    """One object that is not as the revisions make it."""

    name: str
    expected: str | None
    """What the revisions make, None for an object that they do not know."""
    found: str | None
    """What is there, None for an object that is missing."""

    @property
    def sentence(self) -> str:
        """The difference in words."""
        if self.found is None:
            return f"{self.name} is missing; it should be: {self.expected}"
        if self.expected is None:
            return f"{self.name} is not of any revision: {self.found}"
        return f"{self.name} was changed; it should be: {self.expected}; it is: {self.found}"


def verify(url: str) -> list[Difference]:
    """Every difference between the database and the revisions, by name; none when all is well.

    Any role that may connect may ask. A database at an older revision differs in all that the
    pending revisions would make: look at `migration_status` first.
    """
    with psycopg.connect(url) as connection:
        return list(compare(expected_catalog(), read_catalog(connection)))


def read_catalog(connection: psycopg.Connection) -> dict[str, str]:
    """The objects of schema tidings and the four roles, as PostgreSQL 15 to 18 all tell them."""
    with connection.transaction():
        # With no search path every name in a definition is written out.
        connection.execute("SELECT set_config('search_path', '', true)")
        return {
            f"{kind} {name}": " ".join(definition.split())
            for part in _PARTS
            for kind, name, definition in connection.execute(part.sql.encode())
        }


def expected_catalog() -> dict[str, str]:
    """The catalog that the revisions make, as committed."""
    text = resources.files("tidings.db").joinpath("migrations/catalog.txt").read_text("utf-8")
    return dict(line.split(": ", 1) for line in text.splitlines())


def render_catalog(catalog: Catalog) -> str:
    """The text of `catalog.txt`."""
    return "".join(f"{name}: {definition}\n" for name, definition in sorted(catalog.items()))


def compare(expected: Catalog, found: Catalog) -> Iterator[Difference]:
    """The objects that differ, in order of their names."""
    for name in sorted({*expected, *found}):
        if expected.get(name) != found.get(name):
            yield Difference(name, expected.get(name), found.get(name))
