"""WhatsApp's "export chat": a line for each message, as the phone writes dates and times."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from tidings.base.errors import FileInvalid
from tidings.messages.formats.entry import Defaults, Entry, Hashes, RowError, Said, make_entry
from tidings.messages.item import Attachment

DateOrder = Literal["dmy", "mdy", "ymd"]

_LONGEST = 400_000  # characters of one message with all its lines
_MARKS = str.maketrans(
    {
        "\u200e": None,
        "\u200f": None,
        "\u202a": None,
        "\u202c": None,
        "\ufeff": None,
        "\u202f": " ",
        "\u00a0": " ",
    }
)
_STAMP = (
    r"(?P<a>\d{1,4})[./-](?P<b>\d{1,2})[./-](?P<c>\d{1,4}),? "
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?"
    r"(?: ?(?P<half>[AaPp])\.? ?[Mm]\.?)?"
)
_LINE = re.compile(rf"(?:\[{_STAMP}\] |{_STAMP.replace('?P<', '?P<x')} - )(?P<rest>.*)", re.DOTALL)
_SAID = re.compile(r"(?P<sender>[^:\n]{1,100}): ?(?P<text>.*)", re.DOTALL)
_ATTACHED = re.compile(
    r"<(?:attached|Anhang|adjunto|pièce jointe): (?P<name>[^>]{1,500})>"
    r"|^(?P<file>\S{1,200}\.\w{2,5}) \((?:file attached|Datei angehängt)\)"
)
_PARTS = ("a", "b", "c", "hour", "minute", "second", "half")


class _Stamp(msgspec.Struct, frozen=True):
    a: int
    b: int
    c: int
    hour: int
    minute: int
    second: int
    half: str

    def at(self, order: DateOrder) -> datetime:
        """The local time. Raises ValueError for one that there is not."""
        parts = (self.a, self.b, self.c)
        day, month, year = {
            "dmy": parts,
            "mdy": (self.b, self.a, self.c),
            "ymd": parts[::-1],
        }[order]
        hour = self.hour
        if self.half:
            if not 1 <= hour <= 12:
                raise ValueError("no such hour")
            hour = hour % 12 + (12 if self.half in "pP" else 0)
        return datetime(  # noqa: DTZ001 - the phone's
            year + 2000 if year < 100 else year, month, day, hour, self.minute, self.second
        )


def is_whatsapp(lines: Sequence[str]) -> bool:
    """Whether these are the first lines of such an export."""
    return any(_stamp(line)[0] is not None for line in lines[:5])


def read_whatsapp(path: Path, defaults: Defaults) -> Iterator[Entry]:
    """What was said; the program's own lines are passed over. Raises `FileInvalid`."""
    order = _order(path)
    zone = defaults.zone
    hashes = Hashes()
    for number, stamp, rest in _blocks(path):
        found = _SAID.fullmatch(rest)
        if found is None:
            continue  # a line of WhatsApp itself: nobody says it
        place = f"line {number}"
        sender, text = found["sender"].strip(), found["text"].rstrip("\n")
        try:
            at = stamp.at(order)
        except ValueError:
            yield RowError(place, "its date is none.")
            continue
        said = Said(
            external_id=hashes.id_of(at, sender, text),
            sender_id=sender,
            sender_name=sender,
            sent_at=at.replace(tzinfo=zone),
            body=text,
            attachments=[Attachment(name=name) for name in _attached(text)],
        )
        yield make_entry(place, said, defaults)


def _attached(text: str) -> list[str]:
    return [found["name"] or found["file"] for found in _ATTACHED.finditer(text)]


def _blocks(path: Path) -> Iterator[tuple[int, _Stamp, str]]:
    """Each message with the lines that belong to it: line number, time, and what follows it."""
    begun: tuple[int, _Stamp, list[str]] | None = None
    size = 0
    for number, line in enumerate(_lines(path), 1):
        stamp, rest = _stamp(line)
        if stamp is not None:
            if begun is not None:
                yield begun[0], begun[1], "".join(begun[2])
            begun, size = (number, stamp, [rest]), 0
        elif begun is not None and size < _LONGEST:
            begun[2].append(line)
            size += len(line)
    if begun is not None:
        yield begun[0], begun[1], "".join(begun[2])


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        # A line of a whole file would fill memory: what is that long is no message.
        while line := file.readline(_LONGEST):
            yield line.replace("\r\n", "\n")


def _stamp(line: str) -> tuple[_Stamp | None, str]:
    plain = line[:80].translate(_MARKS) + line[80:]
    found = _LINE.fullmatch(plain)
    if found is None:
        return None, line
    prefix = "" if found["a"] is not None else "x"
    a, b, c, hour, minute, second, half = (found[prefix + name] for name in _PARTS)
    stamp = _Stamp(int(a), int(b), int(c), int(hour), int(minute), int(second or 0), half or "")
    return stamp, found["rest"]


def _order(path: Path) -> DateOrder:
    """Which number is the day: told by one above 12, else by how the phone writes.

    Raises `FileInvalid` for a file without any message.
    """
    first: _Stamp | None = None
    for line in _lines(path):
        stamp, _ = _stamp(line)
        if stamp is None:
            continue
        if stamp.a > 31:
            return "ymd"
        if stamp.a > 12 and stamp.b > 12:
            continue  # a date in no order tells nothing of the others
        if stamp.a > 12:
            return "dmy"
        if stamp.b > 12:
            return "mdy"
        first = first or stamp
    if first is None:
        raise FileInvalid(f"{path.name}: has no line such as 31/12/2026, 21:15 - Name: text.")
    return "mdy" if first.half else "dmy"
