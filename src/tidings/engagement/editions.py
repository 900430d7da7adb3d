"""The organization's own version of a summary: lines edited or hidden, the record untouched."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from tidings.base.errors import VersionStale
from tidings.base.tenant import Tenant
from tidings.base.text import check_text
from tidings.db.queries import load_queries
from tidings.db.transaction import Database

sql = load_queries("tidings.engagement")

LONGEST_LINE = 2000
LONGEST_ORIGINAL = 20_000
"""Characters of the record's own line, which may be a whole utterance."""


class EditedLine(msgspec.Struct, frozen=True):
    """What the organization made of a line; `text` None keeps the record's words."""

    list: str
    original: str
    text: str | None = None
    hidden: bool = False


class Edition(msgspec.Struct, frozen=True):
    """The newest version and who saved it."""

    version: int
    lines: list[EditedLine]
    saved_by: str
    saved_at: datetime

    def of(self, name: str, original: str) -> EditedLine | None:
        """The edit of a line, when there is one."""
        for line in self.lines:
            if line.list == name and line.original == original:
                return line
        return None


async def latest_edition(db: Database, tenant: Tenant, domain: str) -> Edition | None:
    """The organization's version of a company's summary, or None when nothing was ever saved."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.latest_edition, {"domain": domain})
    row = found.optional()
    return msgspec.convert(row, Edition) if row else None


async def save_edition(
    db: Database, tenant: Tenant, domain: str, seen: int, lines: Sequence[EditedLine]
) -> int:
    """Save over version `seen` (0: none yet) and return the new one.

    Edits of lines that the present record does not have are the caller's to keep in `lines`.
    Raises `VersionStale` when somebody saved first, `InputInvalid` for text that cannot be kept.
    """
    for line in lines:
        check_text("list", line.list, longest=LONGEST_LINE)
        check_text("original", line.original, longest=LONGEST_ORIGINAL)
        check_text(line.list, line.text or "", longest=LONGEST_LINE)
    kept = [line for line in lines if line.hidden or line.text is not None]
    async with db.tenant_batch(tenant) as batch:
        saved = batch.add(
            sql.insert_edition,
            {"domain": domain, "seen": seen, "lines": msgspec.json.encode(kept).decode()},
        )
        batch.queue(sql.trim_editions, {"domain": domain})
    return _version(saved.optional())


async def undo_edition(db: Database, tenant: Tenant, domain: str, seen: int) -> int:
    """Bring back what stood before version `seen`, as a new version. Raises `VersionStale`."""
    async with db.tenant_batch(tenant) as batch:
        saved = batch.add(sql.undo_edition, {"domain": domain, "seen": seen})
    return _version(saved.optional())


def _version(row: dict[str, int] | None) -> int:
    if row is None:
        raise VersionStale("Somebody saved another version meanwhile.")
    return row["version"]
