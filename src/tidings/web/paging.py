"""The query parameters that every list takes."""

from typing import Annotated

from litestar.params import Parameter

from tidings.base.cursor import MOST

Limit = Annotated[int, Parameter(ge=1, le=MOST, description="At most so many items.")]
Cursor = Annotated[
    str | None,
    Parameter(max_length=2000, description="`next_cursor` of the page before; opaque."),
]
