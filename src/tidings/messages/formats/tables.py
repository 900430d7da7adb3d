"""Tables (CSV with a line of names), and JSON Lines of the API's items."""

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from tidings.base.errors import FileInvalid
from tidings.messages.formats.entry import (
    Defaults,
    Entry,
    Hashes,
    RowError,
    Said,
    make_entry,
    wire_entry,
)
from tidings.messages.formats.words import encoding_of

LONGEST_LINE = 4 * 1024 * 1024  # bytes of one JSON item

_NAMES: dict[str, tuple[str, ...]] = {
    "external_id": ("external_id", "id", "message_id"),
    "sender_id": ("sender_id", "sender", "from", "author", "user"),
    "sender_name": ("sender_name", "name", "from_name"),
    "sender_email": ("sender_email", "email", "from_email"),
    "body": ("body", "text", "message", "content"),
    "sent_at": ("sent_at", "date", "timestamp", "time", "created_at"),
    "direction": ("direction",),
    "subject": ("subject", "title"),
    "thread_id": ("thread_id", "thread"),
    "reply_to": ("reply_to", "in_reply_to"),
}
_NEEDED = ("body", "sent_at")


def read_csv(path: Path, defaults: Defaults) -> Iterator[Entry]:
    """A message for each row, its columns by their names in the first line.

    Raises `FileInvalid` where the names are missing.
    """
    with path.open(encoding=encoding_of(path), errors="replace", newline="") as file:
        head = file.readline(LONGEST_LINE)
        delimiter = max(",;\t", key=head.count)
        columns = _columns(path, next(csv.reader([head], delimiter=delimiter), []))
        csv.field_size_limit(2**20)
        rows = csv.reader(file, delimiter=delimiter)
        hashes = Hashes()
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield RowError(f"line {rows.line_num + 1}", f"{error}.")
                continue
            if row:
                yield _row(f"line {rows.line_num + 1}", columns, row, hashes, defaults)


def _columns(path: Path, names: list[str]) -> dict[str, int]:
    there = {name.strip().lower().replace(" ", "_"): place for place, name in enumerate(names)}
    columns = {
        field: there[name]
        for field, known in _NAMES.items()
        if (name := next((one for one in known if one in there), None)) is not None
    }
    missing = [field for field in _NEEDED if field not in columns]
    if "sender_id" not in columns and "sender_email" not in columns:
        missing.append("sender_id")
    if missing:
        raise FileInvalid(
            f"{path.name} line 1: name the columns there; {', '.join(missing)} is missing."
        )
    return columns


def _row(
    place: str, columns: dict[str, int], row: list[str], hashes: Hashes, defaults: Defaults
) -> Entry:
    given = {
        field: row[at].strip() if field != "body" else row[at]
        for field, at in columns.items()
        if at < len(row)
    }
    try:
        at = datetime.fromisoformat(given.get("sent_at", ""))
    except ValueError:
        return RowError(place, "sent_at: is no time such as 2026-11-21T09:30:00Z.")
    at = at.replace(tzinfo=defaults.zone) if at.tzinfo is None else at
    email = given.get("sender_email") or None
    sender = given.get("sender_id") or email or ""
    if not sender:
        return RowError(place, "sender_id: is empty.")
    direction = given.get("direction", "").lower()
    if direction not in ("", "in", "out"):
        return RowError(place, "direction: is neither in nor out.")
    body = given.get("body", "")
    said = Said(
        external_id=given.get("external_id") or hashes.id_of(at, sender, body),
        sender_id=sender,
        sender_name=given.get("sender_name", ""),
        sender_email=email or (sender if "@" in sender[1:] else None),
        sent_at=at,
        body=body,
        subject=given.get("subject", ""),
        thread_id=given.get("thread_id") or None,
        reply_to=given.get("reply_to") or None,
        direction=direction or None,
    )
    return make_entry(place, said, defaults)


def read_jsonl(path: Path, _: Defaults) -> Iterator[Entry]:
    """The item of the API in each line."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            if not line.strip():
                continue
            yield _item(f"line {number}", line)


def _item(place: str, line: bytes) -> Entry:
    if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
        return RowError(place, f"is longer than {LONGEST_LINE // 2**20} MiB.")
    try:
        raw: Any = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return RowError(place, "is not valid JSON in UTF-8.")
    return wire_entry(place, raw)
