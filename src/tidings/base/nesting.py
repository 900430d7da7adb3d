"""How deep JSON may be nested."""

from typing import Any

DEEPEST = 256
"""Lists and objects within each other; msgspec and PostgreSQL read by recursion."""


def is_too_deep(value: Any) -> bool:
    """Whether decoded JSON is nested deeper than `DEEPEST`, looked at level by level."""
    level: list[Any] = [value]
    for _ in range(DEEPEST + 1):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return False
        level = below
    return True
