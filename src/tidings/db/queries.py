"""Named queries: `queries.sql` beside the code that runs them.

    -- name: claim_jobs
    -- Leases up to :limit due jobs to one worker.
    SELECT …

Every query has a name and a sentence. Parameters are psycopg's `%(name)s`. A contract test
PREPAREs each one against the migrated schema as the role that runs it.
"""

import re
from collections.abc import Iterator
from importlib import resources

import msgspec

_HEADER = re.compile(r"^-- name: (?P<name>[a-z][a-z0-9_]*)[ \t]*$", re.MULTILINE)


class Query(msgspec.Struct, frozen=True):
    """One statement: its name, the sentence that says what it does, and the SQL."""

    name: str
    sentence: str
    sql: str


class Queries:
    """The queries of one package, as attributes: `sql.claim_jobs`."""

    def __init__(self, package: str, queries: dict[str, Query]) -> None:
        """`package` is only for messages."""
        self._package = package
        self._queries = queries

    def __getattr__(self, name: str) -> Query:
        try:
            return self._queries[name]
        except KeyError:
            raise AttributeError(f"{self._package}/queries.sql has no query {name}") from None

    def __iter__(self) -> Iterator[Query]:
        return iter(self._queries.values())


def load_queries(package: str) -> Queries:
    """Read `queries.sql` of a package. Raises ValueError for a query without a sentence."""
    text = resources.files(package).joinpath("queries.sql").read_text(encoding="utf-8")
    return Queries(package, parse_queries(package, text))


def in_pages(query: Query) -> Query:
    """The rows of `query` in the order of their `id`, up to %(most)s of those above %(after)s."""
    return Query(
        query.name,
        query.sentence,
        f"SELECT paged.* FROM ({query.sql}) AS paged "  # noqa: S608 - a named query
        "WHERE %(after)s::uuid IS NULL OR paged.id > %(after)s ORDER BY paged.id LIMIT %(most)s",
    )


def parse_queries(origin: str, text: str) -> dict[str, Query]:
    """Split the text of a queries.sql into its queries, by name, in order."""
    found: dict[str, Query] = {}
    headers = list(_HEADER.finditer(text))
    ends = [*(header.start() for header in headers[1:]), len(text)]
    for header, end in zip(headers, ends, strict=False):
        body = text[header.end() : end]
        lines = body.strip().splitlines()
        comments = list(_leading_comments(lines))
        sentence = " ".join(line.removeprefix("--").strip() for line in comments)
        sql = "\n".join(lines[len(comments) :]).strip().rstrip(";")
        name = header["name"]
        if not sentence.endswith(".") or not sql or name in found:
            raise ValueError(f"{origin}: query {name} needs one sentence, one statement, one name")
        found[name] = Query(name, sentence, sql)
    return found


def _leading_comments(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith("--"):
            return
        yield line
