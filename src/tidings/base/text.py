"""What text may hold, and how two pieces of text are compared."""

import re
import unicodedata

from tidings.base.errors import FieldProblem, InputInvalid

HIT_START, HIT_END = "\ue000", "\ue001"
"""Around a hit in the snippets that the search functions of the database answer."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"\s+")
_QUOTES = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201a": "'",
        "\u201b": "'",
        "\u2032": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u201f": '"',
        "\u2033": '"',
        "\u00ab": '"',
        "\u00bb": '"',
    }
)


def text_problem(value: str) -> str | None:
    """Why PostgreSQL or JSON could not keep this text, or None when it can."""
    if "\x00" in value:
        return "contains a NUL character; remove it"
    if _SURROGATE.search(value):
        return "contains a lone surrogate; send valid Unicode"
    return None


def check_text(
    field: str, value: str, *, longest: int | None = None, octets: int | None = None
) -> str:
    """The value itself, or `InputInvalid` naming the field.

    `longest` is in characters, `octets` in bytes of UTF-8.
    """
    problem = text_problem(value)
    if problem is None and longest is not None and len(value) > longest:
        problem = f"is longer than {longest} characters"
    if problem is None and octets is not None and len(value.encode()) > octets:
        problem = f"is longer than {octets} bytes"
    if problem is not None:
        raise InputInvalid.of(field, problem)
    return value


def find_bad_text(value: object, path: str = "") -> FieldProblem | None:
    """The first string (key or value, any depth) of decoded JSON that may not be stored.

    Walks with an explicit stack, so that deep nesting cannot exhaust Python's own.
    """
    stack: list[tuple[str, object]] = [(path, value)]
    while stack:
        where, item = stack.pop()
        if isinstance(item, str):
            problem = text_problem(item)
            if problem is not None:
                return FieldProblem(where or "body", problem)
        elif isinstance(item, dict):
            for key, inner in item.items():
                if text_problem(str(key)) is not None:
                    return FieldProblem(where or "body", "has a key with a NUL or lone surrogate")
                stack.append((f"{where}.{key}" if where else str(key), inner))
        elif isinstance(item, list):
            stack.extend((f"{where}[{i}]", inner) for i, inner in enumerate(item))
    return None


def normalise_quote(text: str) -> str:
    """Text as quotes are compared: NFC, straight quotation marks, single spaces, trimmed."""
    return _SPACE.sub(" ", unicodedata.normalize("NFC", text).translate(_QUOTES)).strip()


def split_hits(snippet: str) -> list[tuple[str, bool]]:
    """A snippet as (text, is a hit) parts, from its private-use marks."""
    parts: list[tuple[str, bool]] = []
    for piece in snippet.split(HIT_START):
        hit, mark, plain = piece.partition(HIT_END)
        if mark:
            parts.append((hit, True))
            hit = plain
        if hit:
            parts.append((hit, False))
    return parts


def counted(number: int, noun: str) -> str:
    """`1 meeting`, `2 meetings`: for nouns that take an s."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
