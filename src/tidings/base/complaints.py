"""msgspec's complaints about JSON, said so that whoever sent it knows what to send instead."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import inspect

_STEP = re.compile(r"\[[^\]]*\]|[^.\[\]]+")
_ENUM = re.compile(r"Invalid enum value .*", re.DOTALL)
_WORDED = (
    (
        re.compile(r"Invalid RFC3339 encoded datetime"),
        "must be a time such as 2026-11-21T09:30:00Z",
    ),
    (re.compile(r"Invalid RFC3339 encoded date"), "must be a date such as 2026-11-21"),
    (re.compile(r"Invalid UUID"), "must be an id, a UUID"),
    (re.compile(r"Expected `str` of length >= 1"), "must not be empty"),
    (re.compile(r"Expected `str` of length >= (\d+)"), r"must have at least \1 characters"),
    (re.compile(r"Expected `str` of length <= (\d+)"), r"must have at most \1 characters"),
    (re.compile(r"Expected `array` of length <= (\d+)"), r"must have at most \1 entries"),
    (re.compile(r"Expected `(?:int|float)` >= (\S+)"), r"must be at least \1"),
    (re.compile(r"Expected `(?:int|float)` <= (\S+)"), r"must be at most \1"),
)


def worded(complaint: str, kind: Any = None, place: str = "") -> str:
    """A complaint as what has to be there instead.

    `kind` is the type of the whole, `place` where in it, such as `items[0].kind`: of what has a
    few values, those are named.
    """
    if kind is not None and _ENUM.fullmatch(complaint):
        allowed = _values(inspect.type_info(kind), _STEP.findall(place))
        if allowed:
            return f"must be {' or '.join(allowed)}"
    for pattern, words in _WORDED:
        found = pattern.fullmatch(complaint)
        if found is not None:
            return found.expand(words)
    return complaint


def _values(whole: inspect.Type, steps: list[str]) -> list[str]:
    """The values that a place may have, where it has to have one of a few."""
    here: list[inspect.Type] = list(_choices(whole))
    for step in steps:
        here = [
            choice for one in here for inner in _within(one, step) for choice in _choices(inner)
        ]
    found: list[str] = []
    for one in here:
        if isinstance(one, inspect.LiteralType):
            found += map(str, one.values)
        elif isinstance(one, inspect.EnumType):
            found += [str(each.value) for each in one.cls]
    return found


def _choices(one: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(one, inspect.UnionType):
        yield from one.types
    elif isinstance(one, inspect.Metadata):
        yield from _choices(one.type)
    else:
        yield one


def _within(one: inspect.Type, step: str) -> Iterable[inspect.Type]:
    if isinstance(one, inspect.StructType):
        return [field.type for field in one.fields if field.encode_name == step]
    if isinstance(one, inspect.DictType):
        return [one.value_type]
    if isinstance(one, (inspect.ListType, inspect.SetType, inspect.VarTupleType)):
        return [one.item_type]
    return []
