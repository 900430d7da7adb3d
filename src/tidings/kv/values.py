"""JSON values: what may be stored, and how it is written and read.

Values are kept as jsonb, which keeps numbers as decimals: 1e2 is read back as 100, and 1e17 as an
integer, the same numbers. Integers beyond 64 bits are refused, since many readers of JSON would
change them; so a longer one that is read was written as a float, and is given back as one.
"""

import math
import re
from typing import Any

import msgspec

from tidings.base.errors import BodyTooLarge, FieldProblem, InputInvalid
from tidings.base.nesting import DEEPEST
from tidings.base.text import text_problem

LONGEST_VALUE = 1_048_576  # bytes of JSON
_LOWEST, _HIGHEST = -(2**63), 2**64 - 1
_LONG_NUMBER = re.compile(r"\d{20}")


def encode_value(value: Any, field: str = "value") -> str:
    """The JSON of a value made of None, bool, int, float, str, list and dict with str keys.

    Raises `InputInvalid` for anything that JSON or PostgreSQL cannot keep, `BodyTooLarge` above
    1 MiB, where a number counts with the digits that PostgreSQL writes it with.
    """
    spread = _check(value, field)
    encoded = msgspec.json.encode(value)
    if len(encoded) + spread > LONGEST_VALUE:
        raise BodyTooLarge("A value may have 1 MiB of JSON; split it over several keys.")
    return encoded.decode()


def decode_value(text: str) -> Any:
    """The value of a jsonb's text."""
    value = msgspec.json.decode(text)
    return restore_floats(value) if _LONG_NUMBER.search(text) else value


def restore_floats(value: Any) -> Any:
    """A decoded value in which integers beyond 64 bits are the floats they were."""
    if isinstance(value, int):
        return value if _LOWEST <= value <= _HIGHEST else float(value)
    if isinstance(value, list):
        return [restore_floats(item) for item in value]
    if isinstance(value, dict):
        return {key: restore_floats(item) for key, item in value.items()}
    return value


def _check(value: Any, field: str) -> int:
    """Refuse what cannot be kept; how many bytes PostgreSQL's form of numbers may be longer."""
    spread = 0
    level: list[Any] = [value]
    for _depth in range(DEEPEST + 1):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                for key in item:
                    _check_text(key, field, "has a key that")
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            else:
                spread += _check_scalar(item, field)
        if not below:
            return spread
        level = below
    raise _invalid(field, f"is nested deeper than {DEEPEST} levels")


def _check_scalar(item: Any, field: str) -> int:
    if isinstance(item, str):
        _check_text(item, field, "has text that")
    elif isinstance(item, float):
        if not math.isfinite(item):
            raise _invalid(field, "has a number that JSON does not know (NaN or Infinity)")
        return 0 if item == 0 else int(abs(math.log10(abs(item))))
    elif isinstance(item, int):
        if not _LOWEST <= item <= _HIGHEST:
            raise _invalid(field, "has an integer beyond 64 bits; send it as text")
    elif item is not None:
        raise _invalid(field, "is not JSON")
    return 0


def _check_text(text: Any, field: str, where: str) -> None:
    problem = text_problem(text) if isinstance(text, str) else "is not text"
    if problem is not None:
        raise _invalid(field, f"{where} {problem}")


def _invalid(field: str, problem: str) -> InputInvalid:
    return InputInvalid(f"{field} {problem}.", errors=[FieldProblem(field, problem)])
