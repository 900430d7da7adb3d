"""A sender's own words, and quotes that stand in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.intelligence.words import LONGEST_QUOTE, only_asks, own_words, quote_of


def test_what_is_quoted_is_not_the_senders() -> None:
    assert own_words("Yes.\n> Is it?\n  > Really?\nSoon.") == "Yes.\nSoon."
    assert own_words("Yes.\n\nOn 2 March 2026 Ana wrote:\nIs it?") == "Yes."
    assert own_words("Yes.\n-----Original Message-----\nFrom: Ana") == "Yes."


@pytest.mark.parametrize(
    ("text", "asks", "quote"),
    [
        ("", False, ""),
        ("   \n ", True, ""),
        ("Hi. The invoices are wrong again. Bye.", False, "The invoices are wrong again."),
        ("Hi. Is it late? Or lost? Bye.", True, "Or lost?"),
        ("no full stop", True, "no full stop"),
        ("version 1.2 is out", False, "version 1.2 is out"),
    ],
)
def test_the_sentence_that_tells_most(text: str, asks: bool, quote: str) -> None:
    assert quote_of(text, asks=asks) == quote


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Which one?", True),
        ("Sorry. Which one do you mean?", True),
        ("On Monday. And yours?", False),
        ("Hello", False),
        ("", False),
    ],
)
def test_what_only_asks(text: str, asks: bool) -> None:
    assert only_asks(text) is asks


@given(st.text(max_size=1200), st.booleans())
def test_a_quote_stands_in_the_text(body: str, asks: bool) -> None:
    own = own_words(body)
    quote = quote_of(own, asks=asks)
    assert quote in own
    assert len(quote) <= LONGEST_QUOTE


@given(st.text(max_size=400))
def test_own_words_are_lines_of_the_body(body: str) -> None:
    lines = {line.strip() for line in body.splitlines()}
    assert {line.strip() for line in own_words(body).splitlines()} <= lines | {""}
