"""WebVTT (w3.org/TR/webvtt1): cues with voices, settings, and blocks that say nothing."""

import html
import re
from collections.abc import Iterator

from tidings.meetings.formats.cues import ARROW, Timing, labelled, read_timing
from tidings.meetings.formats.said import Said
from tidings.meetings.formats.source import Source

_SIGNATURE = re.compile(r"WEBVTT(?:[ \t].*)?")
_SILENT = re.compile(r"NOTE(?:\s.*)?|STYLE\s*|REGION\s*")
_VOICE = re.compile(r"<v(?:\.[^\s>]{0,200})?\s([^>]{0,200})>")
_TAG = re.compile(r"</?(?:[cibuv]|ruby|rt|lang)(?:[.\s][^>]{0,200})?>|<[0-9][0-9:.]{0,20}>")
_ENTITY = re.compile(r"&(?:amp|lt|gt|nbsp|lrm|rlm|quot|apos|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});")


def is_webvtt(source: Source) -> bool:
    """Whether the first line is WebVTT's signature."""
    return _SIGNATURE.fullmatch(source.lines[0]) is not None


def read_webvtt(source: Source) -> list[Said]:
    """What every cue says; raises `FileInvalid` naming the first line that is not WebVTT."""
    if not is_webvtt(source):
        raise source.wrong(1, "expected WEBVTT as the first line.")
    said: list[Said] = []
    for block in _blocks(source):
        first = source.lines[block[0] - 1]
        if ARROW not in first and _SILENT.fullmatch(first):
            continue
        at = next((i for i, n in enumerate(block[:2]) if ARROW in source.lines[n - 1]), None)
        if at is None:
            raise source.wrong(
                block[0], "expected a cue: its times with --> between, its text below."
            )
        timing = read_timing(source, block[at])
        payload = block[at + 1 :]
        for line in payload:
            if ARROW in source.lines[line - 1]:
                raise source.wrong(line, "expected an empty line before the next cue.")
        said += _voices(" ".join(source.lines[n - 1].strip() for n in payload), timing)
    return said


def _blocks(source: Source) -> Iterator[list[int]]:
    """Line numbers of each block between empty lines, without the header's."""
    header = True
    block: list[int] = []
    for number, line in enumerate([*source.lines, ""], start=1):
        if header and number > 1 and ARROW in line:
            header = False
        if header:
            header = bool(line.strip())
        elif line.strip():
            block.append(number)
        elif block:
            yield block
            block = []


def _voices(payload: str, timing: Timing) -> Iterator[Said]:
    before, *tagged = _VOICE.split(payload)
    if text := _plain(before):
        yield Said("", text, timing.start, timing.end) if tagged else labelled(text, timing)
    for name, spoken in zip(tagged[::2], tagged[1::2], strict=True):
        if text := _plain(spoken):
            yield Said(_plain(name), text, timing.start, timing.end)


def _plain(text: str) -> str:
    return _ENTITY.sub(lambda found: html.unescape(found[0]), _TAG.sub("", text)).strip()
