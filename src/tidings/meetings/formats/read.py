"""One file, whatever its format: the extension tells, and its first lines may tell better."""

from pathlib import PurePath

from tidings.meetings.formats.fathom_json import is_json, read_json
from tidings.meetings.formats.meeting import FileDefaults, Head, make_meeting
from tidings.meetings.formats.plain import read_plain
from tidings.meetings.formats.source import Source
from tidings.meetings.formats.subrip import is_subrip, read_subrip
from tidings.meetings.formats.webvtt import is_webvtt, read_webvtt
from tidings.meetings.item import MeetingItem

EXTENSIONS = frozenset({".vtt", ".srt", ".txt", ".text", ".md", ".json", ".jsonl", ".ndjson"})


def read_file(name: str, data: bytes, defaults: FileDefaults) -> list[MeetingItem]:
    """The meetings in a file's bytes: one of a transcript, any number of Fathom-shaped JSON.

    `name` with its extension is what messages call the file; a date in it counts. Raises
    `FileInvalid` with "name line N: …".
    """
    source = Source.decode(name, data)
    extension = PurePath(source.name).suffix.lower()
    if is_webvtt(source) or extension == ".vtt":
        return [make_meeting(source, read_webvtt(source), Head(), defaults)]
    if extension in {".json", ".jsonl", ".ndjson"}:
        return read_json(source)
    if extension == ".srt" or is_subrip(source):
        return [make_meeting(source, read_subrip(source), Head(), defaults)]
    if is_json(source):
        return read_json(source)
    head, said = read_plain(source)
    return [make_meeting(source, said, head, defaults)]
