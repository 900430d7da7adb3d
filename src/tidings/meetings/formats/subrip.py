"""SubRip (.srt): numbered cues, comma times, a little markup."""

import re

from tidings.meetings.formats.cues import ARROW, labelled, read_timing
from tidings.meetings.formats.said import Said
from tidings.meetings.formats.source import Source

_NUMBER = re.compile(r"\s*[0-9]+\s*")
_MARKUP = re.compile(r"</?(?:[ibus]|font)(?:\s[^>]{0,200})?>|\{\\[^}]{0,200}\}")


def is_subrip(source: Source) -> bool:
    """Whether the first lines are a cue's number and times, or its times alone."""
    filled = [line for line in source.lines if line.strip()][:2]
    if _NUMBER.fullmatch(filled[0]):
        filled = filled[1:]
    return bool(filled) and ARROW in filled[0]


def read_subrip(source: Source) -> list[Said]:
    """What every cue says; an empty line inside a cue does not end it.

    Raises `FileInvalid` naming the first line that is not SubRip.
    """
    timings = [n for n, line in enumerate(source.lines, start=1) if ARROW in line]
    heads = [_head(source, line) for line in timings]
    first = heads[0] if heads else len(source.lines) + 1
    for number, line in enumerate(source.lines[: first - 1], start=1):
        if line.strip():
            raise source.wrong(number, "expected a cue's number and times.")
    said: list[Said] = []
    for at, until in zip(timings, [*heads[1:], len(source.lines) + 1], strict=True):
        timing = read_timing(source, at)
        spoken = (_MARKUP.sub("", one).strip() for one in source.lines[at : until - 1])
        if text := " ".join(one for one in spoken if one):
            said.append(labelled(text, timing))
    return said


def _head(source: Source, timing: int) -> int:
    """The number of a cue's first line: the one above its times when that is its number."""
    above = source.lines[timing - 2] if timing > 1 else ""
    alone = timing < 3 or not source.lines[timing - 3].strip()
    return timing - 1 if alone and _NUMBER.fullmatch(above) else timing
