"""Messages as they come in over the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tidings.base import clock
from tidings.messages.item import LATEST, MessageItem, decode_item

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def said(number: int, body: str | None = None, **more: Any) -> dict[str, Any]:
    """The wire form of message `number`, that many minutes after nine."""
    return {
        "external_id": f"m{number}",
        "sender": {"id": "ada@northwind.example", "name": "Ada Sorensen"},
        "direction": "in",
        "body": body or f"Message number {number} about invoices.",
        "sent_at": (MONDAY + timedelta(minutes=number)).isoformat(),
    } | more


def item(number: int, body: str | None = None, **more: Any) -> MessageItem:
    """The same, taken for a message."""
    return decode_item(said(number, body, **more), clock.now() + LATEST)
