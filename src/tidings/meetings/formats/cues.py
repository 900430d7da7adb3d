"""Timed cues as WebVTT and SubRip share them."""

import re

import msgspec

from tidings.meetings.formats.said import Said, find_label, is_name
from tidings.meetings.formats.source import Source

ARROW = "-->"
_CLOCK = r"(?:([0-9]{1,5}):)?([0-9]{1,2}):([0-9]{1,2}(?:[.,][0-9]{1,3})?)"
_TIMING = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:\s.*)?")


class Timing(msgspec.Struct, frozen=True):
    """From when to when a cue lasts, in seconds."""

    start: float
    end: float


def read_timing(source: Source, line: int) -> Timing:
    """The times in line number `line`; raises `FileInvalid` when they are not two times."""
    match = _TIMING.fullmatch(source.lines[line - 1])
    if match is not None:
        groups = match.groups()
        start, end = _seconds(*groups[:3]), _seconds(*groups[3:])
        if start is not None and end is not None:
            return Timing(start, end)
    raise source.wrong(line, "expected two times, such as 00:00:01.000 --> 00:00:04.000.")


def labelled(text: str, timing: Timing) -> Said:
    """A cue's text, said by the name in front of it when there is one."""
    label = find_label(text)
    if label is not None and label.text and is_name(label.name):
        return Said(label.name, label.text, timing.start, timing.end)
    return Said("", text, timing.start, timing.end)


def _seconds(hours: str | None, minutes: str, rest: str) -> float | None:
    seconds = float(rest.replace(",", "."))
    if int(minutes) > 59 or seconds >= 60:
        return None
    return int(hours or 0) * 3600 + int(minutes) * 60 + seconds
