"""Messages out of files: mailboxes, exports of chat programs, tables, logs."""

from tidings.messages.formats.entry import Defaults, Entry, RowError
from tidings.messages.formats.read import FORMATS, Format, kind_of, read_messages

__all__ = ["FORMATS", "Defaults", "Entry", "Format", "RowError", "kind_of", "read_messages"]
