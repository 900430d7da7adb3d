"""What every reader of a file makes: messages that may be taken in, or why one may not."""

import hashlib
import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from tidings.base import clock
from tidings.base.errors import InputInvalid
from tidings.messages.item import (
    LATEST,
    LONGEST_BODY,
    Attachment,
    Direction,
    MessageItem,
    Sender,
    check_item,
    decode_item,
)

_SURROGATE = re.compile("[\ud800-\udfff]")
_LONGEST_ID = 500


class Defaults(msgspec.Struct, frozen=True, kw_only=True):
    """What a file does not say: whose side we are on, and the zone of its times.

    `ours` are addresses, names or ids in lower case: what those wrote went out.
    """

    ours: frozenset[str] = frozenset()
    timezone: str = "UTC"

    @property
    def zone(self) -> ZoneInfo:
        """The zone of local times."""
        return ZoneInfo(self.timezone)


class RowError(msgspec.Struct, frozen=True):
    """A part of a file that is no message; `place` says which, such as "line 7"."""

    place: str
    detail: str


Entry = MessageItem | RowError
"""What a reader yields."""


class Said(msgspec.Struct, kw_only=True):
    """One message as a file has it; `make_entry` cuts and cleans what is too much."""

    external_id: str
    sender_id: str
    sent_at: datetime
    body: str
    sender_name: str = ""
    sender_email: str | None = None
    subject: str = ""
    thread_id: str | None = None
    reply_to: str | None = None
    attachments: list[Attachment] = []
    headers: dict[str, str | list[str]] = {}
    direction: str | None = None  # "in", "out", or what the sender says


def make_entry(place: str, said: Said, defaults: Defaults) -> Entry:
    """A message, as far as it is one: names, subjects and texts are cut to what is taken in."""
    sender_id = clean(said.sender_id)[:320].strip() or "unknown"
    email = clean(said.sender_email or "")[:320].strip()
    name = clean(said.sender_name)[:200].strip()
    who = {sender_id.lower(), email.lower(), name.lower()} - {""}
    direction: Direction = "out" if who & defaults.ours else "in"
    if said.direction:
        direction = "out" if said.direction == "out" else "in"
    try:
        item = MessageItem(
            external_id=short_id(said.external_id),
            sender=Sender(id=sender_id, name=name, email=email if len(email) >= 3 else None),
            direction=direction,
            body=clean(said.body)[:LONGEST_BODY],
            sent_at=said.sent_at,
            thread_id=short_id(said.thread_id) if said.thread_id else None,
            reply_to=short_id(said.reply_to) if said.reply_to else None,
            subject=clean(said.subject)[:500].strip(),
            attachments=said.attachments[:100],
            headers=said.headers,
        )
        return check_item(item, clock.now() + LATEST)
    except InputInvalid as error:
        return RowError(place, error.message)


def wire_entry(place: str, raw: Any) -> Entry:
    """A message in the form of the API."""
    try:
        return decode_item(raw, clock.now() + LATEST)
    except InputInvalid as error:
        return RowError(place, error.message)


def clean(text: str) -> str:
    """Text without what cannot be stored: no NUL, and no half characters."""
    return _SURROGATE.sub("\ufffd", text).replace("\0", "")


def short_id(text: str) -> str:
    """An id that fits; a longer one becomes its hash, the same each time."""
    text = clean(text).strip()
    if 0 < len(text) <= _LONGEST_ID:
        return text
    return hashlib.sha256(text.encode()).hexdigest()


class Hashes:
    """Ids for what has none: of time, sender and text, and how often that was said at that time.

    So the same export, and one that goes on where it ended, gives the same ids again.
    """

    def __init__(self) -> None:
        """Counts from the beginning of a file, whose times go up."""
        self._at: datetime | None = None
        self._seen: Counter[bytes] = Counter()

    def id_of(self, at: datetime, sender: str, text: str) -> str:
        """The id of the next message."""
        if at != self._at:
            self._at = at
            self._seen.clear()
        when = at.isoformat() if at.tzinfo is None else at.astimezone(UTC).isoformat()
        content = f"{when}\x00{sender}\x00{text}".encode("utf-8", "replace")
        digest = hashlib.sha256(content).digest()
        self._seen[digest] += 1
        return f"{digest.hex()[:40]}-{self._seen[digest]}"
