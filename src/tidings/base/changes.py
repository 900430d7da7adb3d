"""Changes of some fields: what is left out (`msgspec.UNSET`) stays as it is."""

from typing import Any

import msgspec


def given_fields(change: msgspec.Struct) -> dict[str, Any]:
    """The fields that a change names, with their new values."""
    fields = ((name, getattr(change, name)) for name in change.__struct_fields__)
    return {name: value for name, value in fields if value is not msgspec.UNSET}
