"""Text as Markdown."""

import re

# What could begin a list or a rule at the start of a line.
_LINE_START = re.compile(r"^(\d{0,9})([-+=.)])")
_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_{}[]<>#|!~&"})


def escape(text: str) -> str:
    """Text of others as CommonMark text: nothing in it is markup."""
    line = " ".join(text.translate(_MARKS).split())
    return _LINE_START.sub(r"\1\\\2", line, count=1)
