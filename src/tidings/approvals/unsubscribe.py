"""The link in mail: one click, and nothing more is sent (RFC 8058)."""

import msgspec

from tidings.base.errors import RowMissing
from tidings.db.queries import load_queries
from tidings.db.transaction import Database

sql = load_queries("tidings.approvals")


class Link(msgspec.Struct, frozen=True):
    """Whose mail a link ends, and to which address."""

    contact: str
    organization: str
    is_done: bool


async def find_link(db: Database, token: str) -> Link:
    """What a link is for. Raises `RowMissing` for one that we did not send."""
    async with db.system_batch(repeatable=True) as batch:
        found = batch.add(sql.find_unsubscribe, {"token": token}, row=Link)
    link = found.optional()
    if link is None:
        raise RowMissing("This link is not one of ours, or it is cut short.")
    return link


async def unsubscribe(db: Database, token: str) -> str:
    """Do what the link says; the address. Again changes nothing. Raises `RowMissing`."""
    async with db.system_batch(repeatable=True) as batch:
        done = batch.add(sql.unsubscribe, {"token": token})
    contact: str | None = done.value()
    if contact is None:
        raise RowMissing("This link is not one of ours, or it is cut short.")
    return contact
