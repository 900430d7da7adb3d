"""Masking: what is found, what is left alone, and that every value comes back."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.ai.redact import Mask, is_card


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Write to ada.byron+x@northwind.example today.", "Write to [EMAIL_1] today."),
        ("Card 4111 1111 1111 1111, please", "Card [CARD_1], please"),
        ("Card 378282246310005.", "Card [CARD_1]."),
        ("Call +49 30 1234567 or (030) 123-4567.", "Call [PHONE_1] or [PHONE_2]."),
        ("Call 555-123-4567", "Call [PHONE_1]"),
        ("a@b.example, a@b.example, c@d.example", "[EMAIL_1], [EMAIL_1], [EMAIL_2]"),
        ("müller@firma.example, info@münchen.example", "[EMAIL_1], [EMAIL_2]"),
        ("Nr.4111 1111 1111 1111 12/27 cvv 123", "Nr.[CARD_1] 12/27 cvv 123"),
        ("4111\u00a01111\u20111111-1111 378282246310005", "[CARD_1] [CARD_2]"),
        ("+49 (0)89 / 1234 5678, Tel:089-123456", "[PHONE_1], Tel:[PHONE_2]"),
        ("Tel.089\u00a012345678 or 1-800-555-0199", "Tel.[PHONE_1] or [PHONE_2]"),
        ("on 01.02.2026 089 1234567", "on 01.02.2026 [PHONE_1]"),
        ("room 12 089 1234567", "room 12 [PHONE_1]"),
        ("4111 (030) 123-4567)", "4111 [PHONE_1])"),
    ],
)
def test_what_is_masked(text: str, masked: str) -> None:
    assert Mask(text).masked(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "In 2026 we had 1,250,000.00 USD and 99.5 % on 2026-03-04 at 14:30.",
        "Order 4111 1111 1111 1112 is no card.",  # Luhn does not hold
        "Version 10.0.12.4, invoice 2026-1042, room 12-14",
        "ada at northwind dot example; @ada; a@b",
        "01a1fc8b-c530-7529-b01f-e9c4d14a411d",
        "pi 3.14159265358979, on 01.02.2026 14:30, 0.12345678901",
        "https://x.example/12345678901/1",
    ],
)
def test_what_is_left_alone(text: str) -> None:
    mask = Mask(text)
    assert mask.masked(text) == text
    assert mask.counts == {}


def test_an_answer_gets_its_values_back_in_quotes_too() -> None:
    source = 'Ada said "write to ada@northwind.example".'
    mask = Mask(source)
    told = mask.masked(source)
    answer = mask.restored(json.dumps({"quote": told, "to": ["[EMAIL_1]", "[EMAIL_2]"]}))
    assert json.loads(answer) == {
        "quote": source,
        "to": ["ada@northwind.example", "[EMAIL_2]"],
    }
    assert mask.counts == {"email": 1}


def test_what_is_masked_later_keeps_the_placeholders() -> None:
    mask = Mask("a@b.example")
    mask.masked("a@b.example")
    assert mask.masked("'c@d.example' is not a@b.example") == "'[EMAIL_2]' is not [EMAIL_1]"


def test_a_text_that_looks_like_a_placeholder_is_not_mistaken_for_one() -> None:
    source = "[EMAIL_1] is written here, and a@b.example too."
    mask = Mask(source)
    told = mask.masked(source)
    assert told == "[EMAIL_1] is written here, and [EMAILX_1] too."
    assert json.loads(mask.restored(json.dumps(told))) == source


@pytest.mark.parametrize("piece", ["1 ", "1-(/", "a@", "a@a.a.", "(+", "0 ", "1"])
def test_no_text_takes_long(piece: str) -> None:
    text = piece * (20_000 // len(piece))
    started = time.process_time()
    Mask(text).masked(text)
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("digits", "holds"),
    [
        ("4111111111111111", True),
        ("5500005555555559", True),
        ("4111111111111112", False),
        ("0" * 12, False),
        ("0" * 20, False),
    ],
)
def test_luhn(digits: str, holds: bool) -> None:
    assert is_card(digits) is holds


PIECES = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        [
            "a@b.example",
            "4111 1111 1111 1111",
            "+49 30 1234567",
            "[EMAIL_1]",
            "[PHONE_2]",
            '"',
            "\\",
        ]
    ),
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=12).map(" ".join))
def test_every_text_comes_back_as_it_was(text: str) -> None:
    mask = Mask(text)
    told = mask.masked(text)
    assert "a@b.example" not in told
    assert json.loads(mask.restored(json.dumps(told, ensure_ascii=False))) == text
