"""What is read from the store."""

from datetime import datetime
from typing import Any

import msgspec

from tidings.kv.values import decode_value


class Entry(msgspec.Struct, frozen=True):
    """A key, its value (any JSON), its version, and when it expires."""

    key: str
    value: Any
    version: int
    expires_at: datetime | None


class Written(msgspec.Struct, frozen=True):
    """What a write left behind."""

    version: int
    expires_at: datetime | None


class Sum(msgspec.Struct, frozen=True):
    """What an increment left behind."""

    value: int | float
    version: int
    expires_at: datetime | None


class Page(msgspec.Struct, frozen=True):
    """Some entries in key order, and the cursor of the next ones."""

    items: list[Entry]
    next_cursor: str | None


class EntryRow(msgspec.Struct, frozen=True):
    """An entry as the database answers it, the value as text."""

    key: str
    value: str
    version: int
    expires_at: datetime | None
    more: bool = False

    def read(self) -> Entry:
        """The entry."""
        return Entry(self.key, decode_value(self.value), self.version, self.expires_at)


class SumRow(msgspec.Struct, frozen=True):
    """A sum as the database answers it."""

    value: str
    version: int
    expires_at: datetime | None

    def read(self) -> Sum:
        """The sum."""
        return Sum(decode_value(self.value), self.version, self.expires_at)


class WrittenRow(msgspec.Struct, frozen=True):
    """What a write of several keys left of one."""

    key: str
    version: int
    expires_at: datetime | None


class Deleted(msgspec.Struct, frozen=True):
    """How many of the keys to delete were there."""

    deleted: int
