"""The query parameters that every list takes."""

from typing import Annotated

from litestar.params import QueryParameter

from tidings.base.cursor import MOST

Limit = Annotated[int, QueryParameter(ge=1, le=MOST, description="At most so many items.")]
Cursor = Annotated[
    str | None,
    QueryParameter(max_length=2000, description="`next_cursor` of the page before; opaque."),
]
