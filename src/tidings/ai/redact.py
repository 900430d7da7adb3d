"""Masking before a text leaves: addresses, phone and card numbers, restored in the answer.

Each value gets one placeholder wherever it stands, so that the answer may speak of it and quote it;
restored, a quote is found in the source again.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice

import msgspec

Span = tuple[int, int]

_DIGITS = re.compile(r"\D")
# As people write them, with letters of any script: ada@northwind.example, info@münchen.example.
_EMAIL = re.compile(r"[^\W_][\w.%+'-]{0,63}@(?:[^\W_][\w-]{0,62}\.)+[^\W\d_](?:[\w-]{0,61}[^\W_])")
# What stands between the digits of one number: plain and unbreakable spaces, hyphens and dashes.
_GAP = r"[ \u00a0\u2007\u2009\u202f.\-\u2010\u2011\u2013]"
_LONG = re.compile(rf"(?<![^\W_])(?<!\d[.,])\d(?:{_GAP}{{0,2}}\d){{12,}}(?![^\W_])")
_GROUP = re.compile(r"\d+")
_NUMBERS = re.compile(
    rf"(?<![\w+])(?<!\d[.,/-])[(+]{{0,2}}\d(?:(?:{_GAP}|[()/]){{0,3}}\d){{6,}}(?![^\W_])"
)
_START = re.compile(r"[(+]{0,2}\d+")
# Either +country…, an area code in brackets or with its 0, or (_SHAPE) groups as phone numbers have
# them, so that years, prices and times stay as they are.
_PHONE = re.compile(
    rf"\(?\+.*|00\d.*|\(\d{{2,5}}\).*|0\d{{1,5}}(?:{_GAP}|/).*|0\d{{9,11}}", re.DOTALL
)
_SHAPE = re.compile(
    rf"(?:1{_GAP})?\(?\d{{2,5}}\)?(?:{_GAP}|/)\d{{3,4}}{_GAP}\d{{3,5}}(?:{_GAP}\d{{2,4}})?"
)
_DATE = re.compile(r"(?:\d{4}[./-]\d{2}[./-]\d{2}|\d{2}[./-]\d{2}[./-]\d{4})(?!\d)")
_LONGEST_PHONE = 15  # digits (ITU-T E.164, 6.2)


def is_card(digits: str) -> bool:
    """Whether 13 to 19 digits could be a card's number (Luhn, ISO/IEC 7812-1 annex B)."""
    if not 13 <= len(digits) <= 19:
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _emails(text: str) -> Iterator[Span]:
    return (found.span() for found in _EMAIL.finditer(text))


def _cards(text: str) -> Iterator[Span]:
    """Of each run of groups of digits those that are a card: an expiry date may follow it."""
    for run in _LONG.finditer(text):
        groups = [group.span() for group in _GROUP.finditer(text, *run.span())]
        first = 0
        while first < len(groups):
            last = _card_from(text, groups, first)
            if last is not None:
                yield groups[first][0], groups[last][1]
            first = first + 1 if last is None else last + 1


def _card_from(text: str, groups: list[Span], first: int) -> int | None:
    digits = ""
    for place in range(first, len(groups)):
        digits += text[slice(*groups[place])]
        if is_card(digits):
            return place
        if len(digits) > 19:
            break
    return None


def _phones(text: str) -> Iterator[Span]:
    """Of each run of groups of digits those that are a phone number: a date may stand beside it."""
    for run in _NUMBERS.finditer(text):
        start, stop = run.span()
        is_short = len(_DIGITS.sub("", run[0])) <= _LONGEST_PHONE
        while start < stop:
            date = _DATE.match(text, start, stop)
            end = date.end() if date else _phone_end(text, start, stop, is_short=is_short)
            if date is None and end is not None:
                yield start, end
            following = _START.search(text, end or _past(text, start), stop)
            start = following.start() if following else stop


def _phone_end(text: str, start: int, stop: int, *, is_short: bool) -> int | None:
    groups = islice(_GROUP.finditer(text, start, stop), _LONGEST_PHONE)
    for end in reversed([group.end() for group in groups]):
        number = text[start:end]
        if 7 <= len(_DIGITS.sub("", number)) <= _LONGEST_PHONE and (
            _PHONE.fullmatch(number) or (is_short and _SHAPE.fullmatch(number))
        ):
            return end
    return None


def _past(text: str, start: int) -> int:
    group = _START.match(text, start)
    assert group is not None  # runs begin with one
    return group.end()


# Cards before phones: a phone could stand in the middle of a card.
_KINDS: tuple[tuple[str, Callable[[str], Iterator[Span]]], ...] = (
    ("email", _emails),
    ("card", _cards),
    ("phone", _phones),
)


class Mask:
    """The placeholders of one exchange; the same for the same text."""

    def __init__(self, source: str) -> None:
        """`source` is the text whose own words no placeholder may look like."""
        self._tag = ""
        while any(f"[{kind.upper()}{self._tag}_" in source for kind, _ in _KINDS):
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
        for kind, spans in _KINDS:
            parts, end = [], 0
            for start, stop in spans(text):
                parts += [text[end:start], self._masked(kind, text[start:stop])]
                end = stop
            text = "".join([*parts, text[end:]])
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

    def _masked(self, kind: str, value: str) -> str:
        if value not in self._placeholders:
            self._numbers[kind] += 1
            placeholder = f"[{kind.upper()}{self._tag}_{self._numbers[kind]}]"
            self._placeholders[value] = placeholder
            self._values[placeholder] = value
        return self._placeholders[value]


def _in_json(value: str) -> str:
    return msgspec.json.encode(value).decode()[1:-1]
