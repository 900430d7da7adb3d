"""Keys, prefixes as ranges of bytes, cursors."""

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tidings.base.errors import CursorInvalid, InputInvalid
from tidings.kv.keys import (
    LONGEST_KEY,
    check_key,
    check_keys,
    check_prefix,
    check_ttl,
    range_of,
    read_cursor,
    write_cursor,
)

TEXT = st.text(
    st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
    | st.sampled_from("\ud7ff\ue000\U0010ffff%_\x01\x7f\x80"),
    max_size=8,
)


@given(prefix=TEXT, key=TEXT.filter(bool))
@example(prefix="\ud7ff", key="\ue000")
@example(prefix="\U0010ffff" * 2, key="\U0010ffff" * 256)
@example(prefix="", key="\U0010ffff" * 256)
@example(prefix="a\U0010ffff", key="b")
def test_a_range_holds_exactly_the_keys_of_its_prefix(prefix: str, key: str) -> None:
    for candidate in (key, (prefix + key)[: LONGEST_KEY // 4]):
        span = range_of(prefix)
        within = span.lower.encode() <= candidate.encode() < span.upper.encode()
        assert within == candidate.startswith(prefix)


@given(prefix=TEXT, rest=TEXT.filter(bool))
def test_a_cursor_comes_back(prefix: str, rest: str) -> None:
    assert read_cursor(write_cursor(prefix + rest), prefix) == prefix + rest
    assert read_cursor(None, prefix) == ""


@given(st.text(max_size=12))
def test_a_cursor_that_was_not_handed_out_is_refused_or_reads_as_itself(cursor: str) -> None:
    try:
        key = read_cursor(cursor, "")
    except CursorInvalid:
        return
    assert write_cursor(key) == cursor


@pytest.mark.parametrize(
    "cursor", ["", "=", "YQ==", "a", "AA", "_w", "YR", "é", write_cursor("k" * 1025)]
)
def test_forged_cursors(cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        read_cursor(cursor, "")


def test_a_cursor_of_another_prefix() -> None:
    with pytest.raises(CursorInvalid):
        read_cursor(write_cursor("a:1"), "b:")


@pytest.mark.parametrize("key", ["", "a\x00", "\ud800", "k" * 1025, "é" * 513, "\U0010ffff" * 257])
def test_keys_that_cannot_be(key: str) -> None:
    with pytest.raises(InputInvalid) as raised:
        check_key(key)
    assert raised.value.errors[0].field == "key"


@pytest.mark.parametrize("key", ["a", "k" * 1024, "é" * 512, "\U0010ffff" * 256, " ", "a//b\n"])
def test_keys_that_can_be(key: str) -> None:
    assert check_key(key) == key
    assert check_keys([key, key]) == [key, key]


def test_a_prefix_may_be_empty_but_not_longer_than_a_key() -> None:
    assert check_prefix("") == ""
    with pytest.raises(InputInvalid):
        check_prefix("k" * 1025)


def test_times_to_live() -> None:
    assert check_ttl(None) is None
    assert check_ttl(timedelta(seconds=0.5)) == timedelta(seconds=0.5)
    for ttl in (timedelta(0), timedelta(seconds=-1), timedelta(days=3651)):
        with pytest.raises(InputInvalid):
            check_ttl(ttl)
