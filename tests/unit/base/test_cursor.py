import base64
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.base.cursor import (
    DEFAULT_LIMIT,
    MOST,
    Page,
    decode_cursor,
    encode_cursor,
    listing,
)
from tidings.base.errors import CursorInvalid, InputInvalid


@given(st.tuples(st.text(max_size=50), st.integers(-(2**53), 2**53)))
def test_a_cursor_reads_as_it_was_written(position: tuple[str, int]) -> None:
    cursor = encode_cursor("meetings", position)
    assert decode_cursor("meetings", cursor, tuple[str, int]) == position
    assert "=" not in cursor
    assert cursor.isascii()


def test_no_cursor_is_the_start() -> None:
    assert decode_cursor("meetings", None, str) is None


@given(st.text(max_size=80))
def test_a_made_up_cursor_is_refused(made_up: str) -> None:
    with pytest.raises(CursorInvalid):
        decode_cursor("meetings", made_up, str)


@pytest.mark.parametrize("place", [0, 5, -1])
def test_a_changed_cursor_is_refused(place: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(encode_cursor("meetings", "a" * 9) + "=" * 4))
    raw[place] ^= 1
    with pytest.raises(CursorInvalid):
        decode_cursor("meetings", base64.urlsafe_b64encode(raw).decode(), str)


def test_a_cursor_of_another_list_or_shape_is_refused() -> None:
    cursor = encode_cursor("meetings", "a")
    with pytest.raises(CursorInvalid):
        decode_cursor("kv", cursor, str)
    with pytest.raises(CursorInvalid):
        decode_cursor("meetings", cursor, int)


def test_a_cursor_belongs_to_what_was_listed() -> None:
    one, other = UUID(int=1), UUID(int=2)
    cursor = encode_cursor(listing("messages", channel=one, order="newest"), "a")
    assert decode_cursor(listing("messages", order="newest", channel=one), cursor, str) == "a"
    for kind in (
        listing("messages", channel=other, order="newest"),
        listing("messages", channel=one, order="oldest"),
        listing("messages", channel=one, order="newest", thread=other),
        listing("messages"),
    ):
        with pytest.raises(CursorInvalid):
            decode_cursor(kind, cursor, str)


def test_a_filter_that_is_not_given_is_none_at_all() -> None:
    assert listing("jobs", status=None, kind=None) == listing("jobs") == "jobs"
    assert listing("jobs", status="a", kind=None) != listing("jobs", status=None, kind="a")


def test_a_page_has_a_size_within_bounds() -> None:
    assert Page() == Page(DEFAULT_LIMIT, None)
    assert Page(1).limit == 1
    assert Page(MOST).limit == MOST
    for limit in (0, -1, MOST + 1):
        with pytest.raises(InputInvalid, match=f"between 1 and {MOST}"):
            Page(limit)
