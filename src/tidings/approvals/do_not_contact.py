"""Do not contact: it wins over every approval, also over those that came first.

Who writes STOP comes here with the transaction that takes the message in (trigger
`heed_opt_outs`), who follows the link in mail by `unsubscribe.py`.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from tidings.approvals.contacts import normalise_entry
from tidings.base.cursor import Page, decode_cursor, listing
from tidings.base.errors import RoleForbidden, RowMissing
from tidings.base.tenant import Tenant
from tidings.base.text import check_text
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Transaction
from tidings.tenancy import audit

sql = load_queries("tidings.approvals")

LONGEST_REASON = 500

Source = Literal["person", "unsubscribe", "opt_out", "import"]


class Entry(msgspec.Struct, frozen=True):
    """Somebody nothing is sent to: an email, a phone (E.164), a domain or a handle.

    Of who asked for it in a message: when they sent it, which it is, and its channel for those who
    see that.
    """

    kind: str
    value: str
    reason: str
    source: str
    created_by: UUID | None
    created_at: datetime
    asked_at: datetime | None = None
    message_id: UUID | None = None
    channel_id: UUID | None = None


class EntryPage(msgspec.Struct, frozen=True):
    """Part of the list, and where the next part starts."""

    items: list[Entry]
    next_cursor: str | None


async def list_entries(
    db: Database, tenant: Tenant, page: Page, *, value: str | None = None
) -> EntryPage:
    """The newest first; `value` finds one address, number or domain."""
    of = listing("do-not-contact", value=value)
    before = decode_cursor(of, page.cursor, tuple[datetime, str, str])
    at, before_kind, before_value = before or (None, None, None)
    params = {
        "value": value,
        "before_at": at,
        "before_kind": before_kind,
        "before_value": before_value,
        "limit": page.limit + 1,
    }
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.list_do_not_contact, params, row=Entry)
    return EntryPage(*page.cut(of, found.rows, lambda one: (one.created_at, one.kind, one.value)))


async def add_entry(
    transaction: Transaction,
    entry_kind: str,
    value: str,
    reason: str = "",
    *,
    kind: audit.ActorKind = "person",
) -> tuple[Entry, bool]:
    """Put somebody on the list and cancel what waits for them; the entry, and whether it is new.

    Raises `InputInvalid` for what is no address, number or domain.
    """
    normalised = normalise_entry(entry_kind, value)
    check_text("reason", reason, longest=LONGEST_REASON)
    params = {"kind": entry_kind, "value": normalised, "reason": reason, "source": "person"}
    added = await transaction.optional(sql.add_do_not_contact, params, row=Entry)
    if added is None:
        return await transaction.one(sql.get_do_not_contact, params, row=Entry), False
    payload = {"value": normalised, "reason": reason}
    audit.record(
        transaction, "do_not_contact.added", f"do_not_contact:{entry_kind}", payload, kind=kind
    )
    return added, True


async def remove_entry(
    transaction: Transaction, entry_kind: str, value: str, *, kind: audit.ActorKind = "person"
) -> None:
    """Let somebody be written to again, by admins. Raises `RowMissing`, `RoleForbidden`."""
    if not transaction.tenant.is_admin:
        raise RoleForbidden("Only an admin or owner may take somebody off do-not-contact.")
    normalised = normalise_entry(entry_kind, value)
    params = {"kind": entry_kind, "value": normalised}
    if await transaction.optional(sql.remove_do_not_contact, params) is None:
        raise RowMissing
    audit.record(
        transaction,
        "do_not_contact.removed",
        f"do_not_contact:{entry_kind}",
        {"value": normalised},
        kind=kind,
    )
