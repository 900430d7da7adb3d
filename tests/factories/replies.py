"""Rules and messages of auto-responses, as plain values."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tidings.base.ids import uuid7
from tidings.replies.decide import Facts
from tidings.replies.rule import Rule

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
OWNER = UUID(int=1)
CHANNEL = UUID(int=2)


def make_rule(number: int = 0, **fields: Any) -> Rule:
    """A rule that is complete; the higher the number, the younger it is."""
    made = NOON + timedelta(seconds=number)
    given: dict[str, Any] = {
        "name": f"Rule {number}",
        "response_template": "Thank you, we will answer soon.",
        "id": UUID(int=100 + number),
        "user_id": OWNER,
        "enabled_at": datetime(2000, 1, 1, tzinfo=UTC),
        "created_at": made,
        "updated_at": made,
    }
    return Rule(**(given | fields))


def make_facts(body: str = "Hello", **fields: Any) -> Facts:
    """A message that a person wrote just now."""
    at = fields.pop("at", NOON)
    given: dict[str, Any] = {
        "message_id": uuid7(),
        "channel_id": CHANNEL,
        "sender_id": "bo@example.com",
        "sender_name": "Bo",
        "sender_email": "bo@example.com",
        "body": body,
        "at": at,
        "sent_at": at,
    }
    return Facts(**(given | fields))
