"""One file or folder, whatever its format: its name tells, and its first lines may tell better."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, get_args

from tidings.base.errors import FileInvalid
from tidings.messages.channels import ChannelKind
from tidings.messages.formats.entry import Defaults, Entry
from tidings.messages.formats.irc import is_irc, read_irc
from tidings.messages.formats.mbox import read_mbox
from tidings.messages.formats.slack import is_export, read_slack
from tidings.messages.formats.tables import read_csv, read_jsonl
from tidings.messages.formats.whatsapp import is_whatsapp, read_whatsapp

Format = Literal["mbox", "slack", "whatsapp", "csv", "jsonl", "irc"]
FORMATS: tuple[Format, ...] = get_args(Format)

_READERS: dict[Format, Callable[[Path, Defaults], Iterator[Entry]]] = {
    "mbox": read_mbox,
    "slack": read_slack,
    "whatsapp": read_whatsapp,
    "csv": read_csv,
    "jsonl": read_jsonl,
    "irc": read_irc,
}
_BY_EXTENSION: dict[str, Format] = {
    ".mbox": "mbox",
    ".mbx": "mbox",
    ".zip": "slack",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
_KINDS: dict[Format, ChannelKind] = {
    "mbox": "email",
    "slack": "slack",
    "whatsapp": "whatsapp",
    "csv": "other",
    "jsonl": "other",
    "irc": "chat",
}
_HEAD = 64 * 1024  # bytes that are looked at


def read_messages(path: Path, file_format: Format | None, defaults: Defaults) -> Iterator[Entry]:
    """The messages of a file, one by one, and an error for each part that is none.

    Raises `FileInvalid` for a file that cannot be read at all, OSError for one that is not there.
    """
    return _READERS[file_format or detect(path)](path, defaults)


def detect(path: Path) -> Format:
    """The format of a file, of a folder that of its first. Raises `FileInvalid`, OSError."""
    if path.is_dir():
        return "slack" if is_export(path) else detect(files_in(path)[0])
    known = _BY_EXTENSION.get(path.suffix.lower())
    if known is not None:
        return known
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(b"From "):
        return "mbox"
    lines = head.decode("utf-8", "replace").splitlines()[:200]
    if is_irc(lines):
        return "irc"
    if is_whatsapp(lines):
        return "whatsapp"
    raise FileInvalid(
        f"{path.name}: nothing tells what it is; say --format {' or '.join(FORMATS)}."
    )


def files_in(path: Path, file_format: Format | None = None) -> list[Path]:
    """What is read of a path: itself, or of a folder that is no export the files that tell.

    With a format every file tells. Raises `FileInvalid` where none in a folder does, OSError.
    """
    if not path.is_dir() or is_export(path) or file_format == "slack":
        return [path]
    files = sorted(file for file in path.iterdir() if file.is_file() and file.name[0] != ".")
    found = [file for file in files if file_format or _tells(file)]
    if not found:
        raise FileInvalid(
            f"{path.name}: is no Slack export, and nothing in it tells what it is; name its files "
            "and say --format."
        )
    return found


def _tells(file: Path) -> bool:
    try:
        detect(file)
    except FileInvalid:
        return False
    return True


def kind_of(file_format: Format) -> ChannelKind:
    """The kind of channel that such a file comes from."""
    return _KINDS[file_format]
