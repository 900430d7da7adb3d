"""Masking before a text leaves: addresses, phone and card numbers, restored in the answer.

Each value gets one placeholder wherever it stands, so that the answer may speak of it and quote it;
restored, a quote is found in the source again.
"""

import re
from collections import Counter
from collections.abc import Callable

import msgspec

_DIGITS = re.compile(r"\D")
_EMAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+'-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}")
_CARD = re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,18}(?!\w)")
# Either +country…, or groups with a separator, so that years, prices and times stay as they are.
_PHONE = re.compile(
    r"(?<![\w.+/-])(?:\+\d{1,3}(?:[ .()/-]{0,2}\d){6,13}"
    r"|\(?0?\d{2,5}\)?[ ./-]\d{3,4}[ .-]\d{3,5}(?:[ .-]\d{2,4})?)(?![\w/-])"
)
_DATE = re.compile(r"\d{4}[./-]\d{2}[./-]\d{2}|\d{2}[./-]\d{2}[./-]\d{4}")


def is_card(digits: str) -> bool:
    """Whether 13 to 19 digits could be a card's number (Luhn, ISO/IEC 7812-1 annex B)."""
    if not 13 <= len(digits) <= 19:
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _any(_: str) -> bool:
    return True


def _is_card_text(text: str) -> bool:
    return is_card(_DIGITS.sub("", text))


def _is_phone_text(text: str) -> bool:
    return 7 <= len(_DIGITS.sub("", text)) <= 15 and _DATE.fullmatch(text) is None


# Cards before phones: a phone could stand in the middle of a card.
_KINDS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("email", _EMAIL, _any),
    ("card", _CARD, _is_card_text),
    ("phone", _PHONE, _is_phone_text),
)


class Mask:
    """The placeholders of one exchange; the same for the same text."""

    def __init__(self, source: str) -> None:
        """`source` is the text whose own words no placeholder may look like."""
        self._tag = ""
        while any(f"[{kind.upper()}{self._tag}_" in source for kind, _, _ in _KINDS):
            self._tag += "X"
        self._placeholders: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._numbers: Counter[str] = Counter()

    @property
    def counts(self) -> dict[str, int]:
        """How many values are masked, by kind."""
        return dict(self._numbers)

    def masked(self, text: str) -> str:
        """The text with every value that was found replaced."""
        for kind, pattern, is_one in _KINDS:
            text = pattern.sub(lambda m, k=kind, i=is_one: self._masked(k, i, m[0]), text)  # type: ignore[misc]
        return text

    def restored(self, answer: str) -> str:
        """The JSON of an answer with the values back in its strings."""
        if not self._values:
            return answer
        return self._pattern().sub(lambda m: _in_json(self._values[m[0]]), answer)

    def restored_text(self, text: str) -> str:
        """Plain text with the values back."""
        if not self._values:
            return text
        return self._pattern().sub(lambda m: self._values[m[0]], text)

    @property
    def longest(self) -> int:
        """Characters of the longest placeholder."""
        return max(map(len, self._values), default=0)

    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, self._values)))

    def _masked(self, kind: str, is_one: Callable[[str], bool], value: str) -> str:
        if not is_one(value):
            return value
        if value not in self._placeholders:
            self._numbers[kind] += 1
            placeholder = f"[{kind.upper()}{self._tag}_{self._numbers[kind]}]"
            self._placeholders[value] = placeholder
            self._values[placeholder] = value
        return self._placeholders[value]


def _in_json(value: str) -> str:
    return msgspec.json.encode(value).decode()[1:-1]
