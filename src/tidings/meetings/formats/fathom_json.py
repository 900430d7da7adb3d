"""Fathom-shaped JSON: one meeting, a list, a page with `items`, or a meeting per line."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from tidings.base.errors import FileInvalid, InputInvalid
from tidings.meetings.formats.source import Source
from tidings.meetings.item import MeetingItem, decode_item

_LOOKS = re.compile(r"\s*(?:\{|\[\s*[\[{\]])")
_BYTE = re.compile(r" ?\(byte ([0-9]+)\)")
_BROKEN = (msgspec.MsgspecError, RecursionError)


class _Page(msgspec.Struct):
    items: list[msgspec.Raw]


def is_json(source: Source) -> bool:
    """Whether the text begins as a JSON object or a list of them."""
    return _LOOKS.match("\n".join(source.lines[:50])) is not None


def read_json(source: Source) -> list[MeetingItem]:
    """Every meeting in the file; raises `FileInvalid` naming the line of the first bad one."""
    text = "\n".join(source.lines).encode()
    try:
        whole = msgspec.json.decode(text)
    except _BROKEN as error:
        if not _is_object(next(line for line in source.lines if line.strip())):
            raise _not_json(source, _broken_line(text, error), error) from None
        return _read_lines(source)
    items = _items(whole)
    if not items:
        raise source.wrong(1, "the file holds no meeting.")
    meetings: list[MeetingItem] = []
    for index, raw in enumerate(items):
        try:
            meetings.append(decode_item(raw))
        except InputInvalid as error:
            raise source.wrong(_line_of(text, whole, index), error.message) from None
    return meetings


def _read_lines(source: Source) -> list[MeetingItem]:
    meetings: list[MeetingItem] = []
    for number, line in enumerate(source.lines, start=1):
        if not line.strip():
            continue
        try:
            meetings.append(decode_item(msgspec.json.decode(line)))
        except InputInvalid as error:
            raise source.wrong(number, error.message) from None
        except _BROKEN as error:
            raise _not_json(source, number, error) from None
    return meetings


def _items(whole: Any) -> Sequence[Any]:
    if isinstance(whole, dict) and isinstance(whole.get("items"), list):
        items: list[Any] = whole["items"]
        return items
    return whole if isinstance(whole, list) else [whole]


def _line_of(text: bytes, whole: Any, index: int) -> int:
    """The line that an item begins on, found by its raw bytes, which stand in order."""
    if isinstance(whole, list):
        raws = msgspec.json.decode(text, type=list[msgspec.Raw])
    elif _items(whole)[0] is whole:
        raws = [msgspec.json.decode(text, type=msgspec.Raw)]
    else:
        raws = msgspec.json.decode(text, type=_Page).items
    start = end = 0
    for raw in map(bytes, raws[: index + 1]):
        start = text.index(raw, end)
        end = start + len(raw)
    return text.count(b"\n", 0, start) + 1


def _not_json(source: Source, line: int, error: Exception) -> FileInvalid:
    if isinstance(error, RecursionError):
        return source.wrong(line, "nests deeper than any meeting does.")
    return source.wrong(line, f"is not valid JSON: {_BYTE.sub('', str(error))}.")


def _broken_line(text: bytes, error: Exception) -> int:
    found = _BYTE.search(str(error))
    return text.count(b"\n", 0, int(found[1]) if found else None) + 1


def _is_object(line: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except _BROKEN:
        return False
