"""Logs of IRC: `[HH:MM] <nick> text`, the date in the name of the file."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from tidings.base.errors import FileInvalid
from tidings.messages.formats.entry import Defaults, Entry, Hashes, Said, make_entry
from tidings.messages.formats.words import encoding_of

_LINE = re.compile(
    r"\[(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?\] ?"
    r"(?:<[ @+%~&]?(?P<nick>[^>\s]{1,200})>|\* (?P<actor>\S{1,200})) ?(?P<text>.*)"
)
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


def is_irc(lines: Sequence[str]) -> bool:
    """Whether these are the first lines of such a log."""
    return sum(_LINE.fullmatch(line) is not None for line in lines) * 2 > len(lines) > 0


def read_irc(path: Path, defaults: Defaults) -> Iterator[Entry]:
    """What was said; who came and went is passed over. Raises `FileInvalid` without a date."""
    day = _day(path)
    zone = defaults.zone
    hashes = Hashes()
    last, turn = day, _hours_of_clock(path)
    with path.open(encoding=encoding_of(path), errors="replace", newline="\n") as file:
        for number, line in enumerate(file, 1):
            found = _LINE.fullmatch(line.rstrip("\r\n"))
            if found is None:
                continue
            at = day + timedelta(
                hours=int(found["hour"]) % turn,
                minutes=int(found["minute"]),
                seconds=int(found["second"] or 0),
            )
            # A clock that falls by more than half has come around; less is a badly sorted log.
            if last - at > timedelta(hours=turn / 2):
                day, at = day + timedelta(hours=turn), at + timedelta(hours=turn)
            last = at
            nick = found["nick"] or found["actor"]
            text = found["text"] if found["nick"] else f"* {nick} {found['text']}"
            if not text.strip():
                continue
            said = Said(
                external_id=hashes.id_of(at, nick, text),
                sender_id=nick,
                sender_name=nick,
                sent_at=at.replace(tzinfo=zone),
                body=text,
            )
            yield make_entry(f"line {number}", said, defaults)


def _hours_of_clock(path: Path) -> int:
    """12 where one o'clock follows twelve and no hour is below or above those, else 24."""
    hours: set[int] = set()
    before, is_twelve = 0, False
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        for line in file:
            found = _LINE.fullmatch(line.rstrip("\r\n"))
            if found is not None:
                hour = int(found["hour"])
                is_twelve = is_twelve or (before, hour) == (12, 1)
                hours.add(hour)
                before = hour
    return 12 if is_twelve and hours <= set(range(1, 13)) else 24


def _day(path: Path) -> datetime:
    found = _DATE.search(path.name)
    try:
        if found is not None:
            return datetime(int(found[1]), int(found[2]), int(found[3]))  # noqa: DTZ001 - local
    except ValueError:
        pass
    raise FileInvalid(f"{path.name}: name it by its date, such as 2026-11-21.txt.")
