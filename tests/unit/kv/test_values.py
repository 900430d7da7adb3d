"""What a value may be, before it reaches the database."""

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.base.errors import BodyTooLarge, InputInvalid
from tidings.kv.values import DEEPEST, LONGEST_VALUE, decode_value, encode_value

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=10,
)


@given(VALUES)
def test_what_is_accepted_is_plain_json(value: Any) -> None:
    encoded = encode_value(value)
    assert json.loads(encoded) == value
    assert decode_value(encoded) == value


def nested(depth: int, kind: str = "list") -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value] if kind == "list" else {"k": value}
    return value


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        2**64,
        -(2**63) - 1,
        10**400,
        "\x00",
        "a\ud800",
        {"\x00": 1},
        {"\udfff": 1},
        {1: 2},
        {None: 1},
        [{"a": [math.nan]}],
        nested(DEEPEST + 1),
        nested(DEEPEST + 1, "dict"),
        nested(100_000),
        b"bytes",
        datetime(2026, 1, 1, tzinfo=UTC),
        {1, 2},
        object(),
    ],
    ids=lambda value: repr(value)[:20] if not isinstance(value, list | dict) else "nested",
)
def test_what_is_refused(value: Any) -> None:
    with pytest.raises(InputInvalid) as raised:
        encode_value(value, "operations[3].value")
    assert raised.value.errors[0].field == "operations[3].value"
    assert raised.value.message.startswith("operations[3].value ")


def test_the_deepest_value() -> None:
    assert decode_value(encode_value(nested(DEEPEST))) == nested(DEEPEST)


def test_the_longest_value() -> None:
    assert len(encode_value("x" * (LONGEST_VALUE - 2))) == LONGEST_VALUE
    with pytest.raises(BodyTooLarge):
        encode_value("x" * (LONGEST_VALUE - 1))


def test_numbers_count_as_postgresql_writes_them() -> None:
    """Each of 7 bytes here becomes 300 digits there."""
    with pytest.raises(BodyTooLarge):
        encode_value([1e300] * 10_000)


def test_a_float_written_out_in_full_is_read_as_the_float() -> None:
    long = "1" + "0" * 300
    assert decode_value(long) == 1e300
    assert decode_value(f'{{"a": [{long}, true, null, "{long}"]}}') == {
        "a": [1e300, True, None, long]
    }
    assert decode_value("18446744073709551615") == 2**64 - 1
