import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.base.errors import InputInvalid
from tidings.base.text import check_text, find_bad_text, normalise_quote, text_problem

FINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(FINE)
def test_other_text_is_kept_as_it_is(value: str) -> None:
    assert text_problem(value) is None
    assert check_text("field", value) == value
    assert find_bad_text({"field": [value, {"inner": value}]}) is None


@pytest.mark.parametrize("bad", ["\x00", "a\x00b", "\ud800", "a\udfffb"])
def test_what_the_database_cannot_keep_is_refused_by_field(bad: str) -> None:
    with pytest.raises(InputInvalid, match=r"^title contains a ") as refused:
        check_text("title", bad)
    assert refused.value.errors[0].field == "title"


def test_text_may_have_a_longest_length() -> None:
    assert check_text("title", "ä" * 5, longest=5) == "ä" * 5
    with pytest.raises(InputInvalid, match="longer than 5 characters"):
        check_text("title", "ä" * 6, longest=5)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("\x00", "body"),
        ({"a": {"b": ["x", "\ud800"]}}, "a.b[1]"),
        ({"a": {"\x00": 1}}, "a"),
        ({"\udc00": 1}, "body"),
        ([{"a": "\x00"}], "[0].a"),
    ],
)
def test_bad_text_is_found_at_any_depth(value: object, field: str) -> None:
    problem = find_bad_text(value)
    assert problem is not None
    assert problem.field == field


def test_a_path_to_start_from_is_kept() -> None:
    problem = find_bad_text(["\x00"], "items")
    assert problem is not None
    assert problem.field == "items[0]"


def test_deep_nesting_does_not_exhaust_the_stack() -> None:
    value: object = "\x00"
    for _ in range(100_000):
        value = [value]
    assert find_bad_text(value) is not None


def test_numbers_and_nothing_are_fine() -> None:
    assert find_bad_text({"a": 1, "b": None, "c": True, "d": 1.5}) is None


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("\u201cWe\u2019ll  see\u201d", '"We\'ll see"'),
        (" \tone\n two ", "one two"),
        ("e\u0301", "é"),
        ("\u00abno\u00bb", '"no"'),
    ],
)
def test_quotes_are_compared_in_one_form(text: str, same: str) -> None:
    assert normalise_quote(text) == same
    assert normalise_quote(normalise_quote(text)) == same
