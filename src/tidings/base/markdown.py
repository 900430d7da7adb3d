"""Text as Markdown."""

import re
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

E = TypeVar("E", bound=Hashable)

# What could begin a list or a rule at the start of a line.
_LINE_START = re.compile(r"^(\d{0,9})([-+=.)])")
_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_{}[]<>#|!~&"})


def escape(text: str) -> str:
    """Text of others as CommonMark text: nothing in it is markup."""
    line = " ".join(text.translate(_MARKS).split())
    return _LINE_START.sub(r"\1\\\2", line, count=1)


class Notes(Generic[E]):
    """Numbers evidence in the order it is first cited."""

    def __init__(self) -> None:
        """Nothing is cited yet."""
        self._numbers: dict[E, int] = {}

    def mark(self, evidence: Iterable[E]) -> str:
        """What stands behind a line: " [1] [2]"."""
        numbers = [self._numbers.setdefault(one, len(self._numbers) + 1) for one in evidence]
        return "".join(f" [{number}]" for number in numbers)

    def lines(self, written: Callable[[E], str]) -> list[str]:
        """The sources under their heading, each as `written`; none where nothing was cited."""
        if not self._numbers:
            return []
        sources = (f"{number}. {written(one)}" for one, number in self._numbers.items())
        return ["## Sources", "", *sources, ""]
