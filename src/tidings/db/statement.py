"""One statement on its way: written as libpq takes it, and what it answered."""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from psycopg.abc import Transformer
from psycopg.adapt import PyFormat
from psycopg.pq import Format
from psycopg.pq.abc import PGresult

from tidings.base.errors import RowMissing
from tidings.db.queries import Query

Row = dict[str, Any]
T = TypeVar("T")

_PLACE = re.compile(r"%(?:\((?P<name>[^)]+)\)(?P<format>[sbt])|(?P<percent>%)|)")
_TEXT = 25  # the type's OID, the same in every database
_FORMATS = {"s": PyFormat.AUTO, "b": PyFormat.BINARY, "t": PyFormat.TEXT}


class Statements(Protocol):
    """What both doors give: a place to queue a write whose answer nobody waits for."""

    def queue(self, query: Query, params: Mapping[str, Any] | None = None) -> None:
        """Send a statement along with the others."""


class Bound(NamedTuple):
    """A statement as libpq takes it: numbered places, and the values in their wire formats."""

    sql: bytes
    values: Sequence[Any] | None = None
    types: tuple[int, ...] = ()
    formats: Sequence[Format] | None = None


class Command:
    """A statement that is always the same, and answers nothing that is read."""

    __slots__ = ("_bound",)

    def __init__(self, sql: bytes, *values: bytes) -> None:
        """`values` are texts."""
        self._bound = Bound(sql, values, (_TEXT,) * len(values))

    def bind(self, _: Transformer) -> Bound:
        """The statement as it is sent."""
        return self._bound

    def read(self, _: PGresult, __: Transformer) -> None:
        """Nothing is kept."""


class Statement:
    """A query with its parameters, and once it was sent, its rows and how many it touched."""

    __slots__ = ("count", "params", "query", "row", "rows")

    def __init__(
        self, query: Query, params: Mapping[str, Any] | None = None, row: type[Any] | None = None
    ) -> None:
        """`row` is the Struct its rows become; None makes them dicts."""
        self.query = query
        self.params = params
        self.row: Any = row
        self.rows: list[Any] = []
        self.count = -1

    def bind(self, adapt: Transformer) -> Bound:
        """The statement as it is sent. Raises psycopg's error for a value that has no form."""
        if self.params is None:
            return Bound(self.query.sql.encode())
        sql, names, formats = _numbered(self.query.sql)
        values = adapt.dump_sequence([self.params[name] for name in names], formats)
        return Bound(sql, values, adapt.types or (), adapt.formats)

    def read(self, answer: PGresult, adapt: Transformer) -> None:
        """Take the answer in."""
        if not answer.nfields:
            touched = answer.command_tuples
            self.count = -1 if touched is None else touched
            return
        self.count = answer.ntuples
        if self.count:
            adapt.set_pgresult(answer)
            names = tuple(answer.fname(n) or b"" for n in range(answer.nfields))
            self.rows = adapt.load_rows(0, self.count, _maker(self.row, names))


@lru_cache(maxsize=1024)
def _numbered(sql: str) -> tuple[bytes, tuple[str, ...], tuple[PyFormat, ...]]:
    """`%(name)s` as `$1`: the statement, and the name and format of each place."""
    places: dict[str, PyFormat] = {}

    def number(found: re.Match[str]) -> str:
        if found["percent"]:
            return "%"
        if found["name"] is None:
            raise ValueError(f"a % that is neither %(name)s nor %%, at {found.start()}: {sql}")
        places.setdefault(found["name"], _FORMATS[found["format"]])
        return f"${list(places).index(found['name']) + 1}"

    numbered = _PLACE.sub(number, sql)
    return numbered.encode(), tuple(places), tuple(places.values())


@lru_cache(maxsize=1024)
def _maker(row: Hashable, columns: tuple[bytes, ...]) -> Callable[[Sequence[Any]], Any]:
    """What makes a row of its values: `row` is a Struct, or None for dicts."""
    names = tuple(column.decode() for column in columns)
    if row is None:
        return lambda values: dict(zip(names, values, strict=True))
    kind: Any = row
    if kind.__match_args__[: len(names)] == names:
        return lambda values: kind(*values)
    return lambda values: kind(**dict(zip(names, values, strict=True)))


class Pending(Generic[T]):
    """What a queued statement will have answered once the batch has ended."""

    def __init__(self, statement: Statement) -> None:
        """Made by `Batch.add`."""
        self._statement = statement
        self._rows: list[T] | None = None
        self.count = 0

    def settle(self) -> None:
        """The batch has ended; `count` is how many rows were touched."""
        self._rows, self.count = self._statement.rows, self._statement.count

    @property
    def rows(self) -> list[T]:
        """All rows. Raises RuntimeError before the batch has ended."""
        if self._rows is None:
            raise RuntimeError(f"{self._statement.query.name} is read before its batch has ended")
        return self._rows

    def optional(self) -> T | None:
        """The only row, or None."""
        return self.rows[0] if self.rows else None

    def one(self) -> T:
        """The only row. Raises `RowMissing` when there is none."""
        return only(self.rows)

    def value(self) -> Any:
        """The only column of the only row. Raises `RowMissing` when there is no row."""
        return value_of(self.one())


def only(rows: list[T]) -> T:
    """The only row. Raises `RowMissing` when there is none."""
    if not rows:
        raise RowMissing
    return rows[0]


def value_of(row: Any) -> Any:
    """The only column of a row."""
    return next(iter(row.values())) if isinstance(row, dict) else row
