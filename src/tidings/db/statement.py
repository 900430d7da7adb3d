"""One statement on its way: queued, sent, answered."""

from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

from psycopg import AsyncCursor
from psycopg.rows import class_row, dict_row

from tidings.base.errors import RowMissing
from tidings.db.pools import Connection
from tidings.db.queries import Query

Row = dict[str, Any]
T = TypeVar("T")


class Statements(Protocol):
    """What both doors give: a place to queue a write whose answer nobody waits for."""

    def queue(self, query: Query, params: Mapping[str, Any] | None = None) -> None:
        """Send a statement along with the others."""


class Statement:
    """A query with its parameters, and once it was sent, the cursor that has its answer."""

    __slots__ = ("cursor", "params", "query", "row")

    def __init__(
        self, query: Query, params: Mapping[str, Any] | None, row: type[Any] | None
    ) -> None:
        """`row` is the Struct its rows become; None makes them dicts."""
        self.query = query
        self.params = params
        self.row = row
        self.cursor: AsyncCursor[Any] | None = None

    async def send(self, connection: Connection) -> None:
        """Queue it in the connection's pipeline."""
        factory = dict_row if self.row is None else class_row(self.row)
        self.cursor = connection.cursor(row_factory=factory)
        await self.cursor.execute(self.query.sql.encode(), self.params)

    async def read(self) -> tuple[list[Any], int]:
        """Its rows and how many it touched, once the pipeline has ended."""
        assert self.cursor is not None
        rows = await self.cursor.fetchall() if self.cursor.description is not None else []
        return rows, self.cursor.rowcount


class Pending(Generic[T]):
    """What a queued statement will have answered once the batch has ended."""

    def __init__(self, statement: Statement) -> None:
        """Made by `Batch.add`."""
        self._statement = statement
        self._rows: list[T] | None = None
        self.count = 0

    def settle(self, rows: list[T], count: int) -> None:
        """Keep the answer; `count` is how many rows were touched."""
        self._rows, self.count = rows, count

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
