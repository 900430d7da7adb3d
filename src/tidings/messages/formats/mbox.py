"""Mailboxes in the mbox form (RFC 4155): one email after another, each behind a `From ` line."""

import re
from collections.abc import Iterator
from pathlib import Path

from tidings.base.errors import FileInvalid
from tidings.messages.formats.entry import Defaults, Entry, RowError
from tidings.messages.formats.mail import LARGEST, mail_entry

_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


def read_mbox(path: Path, defaults: Defaults) -> Iterator[Entry]:
    """The emails of a mailbox; one at a time is in memory. Raises `FileInvalid`."""
    for number, raw in enumerate(_emails(path), 1):
        place = f"email {number}"
        if raw is None:
            yield RowError(place, f"is larger than {LARGEST // 2**20} MiB.")
        else:
            yield mail_entry(place, _QUOTED.sub(rb"\1", raw), defaults)


def _emails(path: Path) -> Iterator[bytes | None]:
    """The bytes of each, without its `From ` line; None for one that is too large."""
    lines: list[bytes] = []
    size, is_begun, is_after_blank = 0, False, True
    with path.open("rb") as file:
        while line := file.readline(LARGEST):
            if is_after_blank and line.startswith(b"From "):
                if is_begun:
                    yield b"".join(lines) if size <= LARGEST else None
                lines, size, is_begun = [], 0, True
            elif not is_begun and line.strip():
                raise FileInvalid(f"{path.name} line 1: is no mailbox; it begins with `From `.")
            else:
                size += len(line)
                if size <= LARGEST:
                    lines.append(line)
            is_after_blank = line in (b"\n", b"\r\n")
    if is_begun:
        yield b"".join(lines) if size <= LARGEST else None
