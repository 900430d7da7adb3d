"""What commands print: data on standard output, everything else on standard error.

On a terminal data is a table; into a pipe it is tab-separated lines. What meetings and people wrote
is data: it is never markup here, and no control character of it reaches a terminal.
"""

import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]

# C0 and C1 controls, DEL, and what turns the direction of text around.
_CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_CONTROL = re.compile(f"[{_CONTROLS}]")
_BREAK = re.compile(r"[\t\n\r\u2028\u2029]+")


def plain(text: str) -> str:
    """Text as one line without control characters."""
    return _CONTROL.sub("", _BREAK.sub(" ", text))


def plain_lines(text: str) -> str:
    """Text without control characters other than tabs and ends of lines."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def to_json(value: object, *, indent: bool = False) -> str:
    """JSON in which no control character stands as itself."""
    encoded = msgspec.json.encode(value)
    if indent:
        encoded = msgspec.json.format(encoded, indent=2)
    # The encoder escapes what is below space; the rest of them can only stand in strings.
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", encoded.decode())


def print_json(value: object) -> None:
    """Print a value as JSON: indented on a terminal, one line into a pipe."""
    print(to_json(value, indent=sys.stdout.isatty()), flush=True)


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows as a table on a terminal, as tab-separated lines into a pipe."""
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(plain(cell) for cell in row))
        return
    table = Table(*headings, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    Console().print(table)


def say(message: str) -> None:
    """Tell the person something that is not data."""
    Console(stderr=True, soft_wrap=True).print(Text(plain_lines(message)))


def moment(at: datetime | None) -> str:
    """A time for people, in UTC; "" for none."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if at else ""
