"""The JSON schema of an answer, made once for each shape."""

from functools import cache
from typing import Any

import pydantic


@cache
def json_schema(schema: type[pydantic.BaseModel]) -> dict[str, Any]:
    """The schema that a provider is shown; do not change what is returned."""
    return schema.model_json_schema()
