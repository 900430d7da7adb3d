"""The chat logs of irc-disentanglement: what was said, and which message answers which."""

import re
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tidings.ai.engines.local.utterances import Said

_LINE = re.compile(r"\[(\d\d):(\d\d)\] (?:<([^>]*)>|\* (\S+)) ?(.*)")
_DAY = datetime(2020, 1, 1, tzinfo=UTC)


class Day(msgspec.Struct, frozen=True):
    """One log. `answers`: for each annotated message, those it answers, itself if none."""

    name: str
    said: list[Said]
    answers: dict[int, frozenset[int]]


def days(data: Path) -> list[Day]:
    """The logs below `chat/`, in order of name."""
    return [_day(file) for file in sorted((data / "chat").glob("*/*.raw.txt"))]


def _day(file: Path) -> Day:
    lines = file.read_text("utf-8", errors="replace").rstrip("\n").split("\n")
    name = file.name.removesuffix(".raw.txt")
    answers: defaultdict[int, set[int]] = defaultdict(set)
    for pair in (file.parent / f"{name}.annotation.txt").read_text("utf-8").splitlines():
        one, other = (int(number) for number in pair.split()[:2])
        answers[max(one, other)].add(min(one, other))
    return Day(name, [_said(line) for line in lines], {i: frozenset(a) for i, a in answers.items()})


def _said(line: str) -> Said:
    """A line of the log; a notice ("=== … has joined") is kept as it stands, said by nobody."""
    match = _LINE.match(line)
    if match is None:
        return Said("", line)
    hour, minute, speaker, actor, text = match.groups()
    return Said(speaker or actor or "", text, _DAY.replace(hour=int(hour), minute=int(minute)))
