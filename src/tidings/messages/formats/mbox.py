"""Mailboxes in the mbox form (RFC 4155): one email after another, each behind a `From ` line."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate
from pathlib import Path

from tidings.base.errors import FileInvalid
from tidings.messages.formats.entry import Defaults, Entry, RowError
from tidings.messages.formats.mail import LARGEST, mail_entry

_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
# `From`, a sender, and a date with a time: a sentence that begins so has none.
_FROM = re.compile(rb"From .{0,2000}\d\d?:\d\d")


def read_mbox(path: Path, defaults: Defaults) -> Iterator[Entry]:
    """The emails of a mailbox; one at a time is in memory. Raises `FileInvalid`."""
    for number, (raw, head) in enumerate(_emails(path), 1):
        place = f"email {number}"
        if raw is None:
            yield RowError(place, f"is larger than {LARGEST // 2**20} MiB.")
        else:
            yield mail_entry(place, _QUOTED.sub(rb"\1", raw), defaults, _delivered(head))


def _emails(path: Path) -> Iterator[tuple[bytes | None, bytes]]:
    """The bytes of each, None for one that is too large, and its `From ` line."""
    lines: list[bytes] = []
    head, size, is_after_blank = b"", 0, True
    with path.open("rb") as file:
        while line := file.readline(LARGEST):
            if is_after_blank and line.startswith(b"From ") and (not head or _FROM.match(line)):
                if head:
                    yield b"".join(lines) if size <= LARGEST else None, head
                lines, size, head = [], 0, line
            elif not head and line.strip():
                raise FileInvalid(f"{path.name} line 1: is no mailbox; it begins with `From `.")
            else:
                size += len(line)
                if size <= LARGEST:
                    lines.append(line)
            is_after_blank = line in (b"\n", b"\r\n")
    if head:
        yield b"".join(lines) if size <= LARGEST else None, head


def _delivered(head: bytes) -> datetime | None:
    """The time in a `From ` line, which is in UTC."""
    words = head.decode("ascii", "replace").split()
    found = parsedate(" ".join(words[2:7]))
    try:
        return datetime(*found[:6], tzinfo=UTC) if found else None
    except ValueError:
        return None
