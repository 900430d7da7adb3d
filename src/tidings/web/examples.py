"""Examples in the OpenAPI document: each is a request that a fresh demo accepts."""

from typing import Any

from litestar.openapi.spec import Example
from litestar.params import Body, BodyKwarg


def body_like(description: str, **fields: Any) -> BodyKwarg:
    """For `Annotated[Struct, …]` of a handler's `data`: what a body looks like."""
    body: BodyKwarg = Body(examples=[Example(summary=description, value=fields)])
    return body


START = body_like("The company behind a website", domain="northwind.example")
CAPTURE = body_like(
    "One meeting of three utterances",
    source="api",
    items=[
        {
            "recording_id": 1042,
            "title": "Northwind: pricing",
            "created_at": "2026-04-28T09:00:00Z",
            "calendar_invitees": [{"name": "Ada Sorensen", "email": "ada@northwind.example"}],
            "transcript": [
                {
                    "speaker": {"display_name": "Ada Sorensen"},
                    "text": "Our goal is to close the books in three days.",
                    "timestamp": "00:00:12",
                }
            ],
        }
    ],
)
CHANNEL = body_like("A mailbox in Berlin", name="Support", kind="email", timezone="Europe/Berlin")
CHANNEL_CHANGE = body_like(
    "Open on weekdays",
    business_hours=[{"days": [1, 2, 3, 4, 5], "start": "09:00", "end": "17:00"}],
    holidays=["2026-12-25"],
)
INGEST = body_like(
    "A question and its answer",
    items=[
        {
            "external_id": "m-1",
            "sender": {"id": "ada@northwind.example", "name": "Ada Sorensen"},
            "direction": "in",
            "subject": "Invoices",
            "body": "Can you send the April invoice again?",
            "sent_at": "2026-04-28T09:00:00Z",
        },
        {
            "external_id": "m-2",
            "reply_to": "m-1",
            "sender": {"id": "bo@tidings.example", "name": "Bo"},
            "direction": "out",
            "body": "It is on its way.",
            "sent_at": "2026-04-28T09:05:00Z",
        },
    ],
)
CHANNEL_MEMBER = body_like(
    "Somebody of the organization", user_id="0199f0aa-1111-7000-8000-000000000001"
)
READ_TO = body_like("Everything up to the 12th message", position=12)
SET_KEY = body_like("A value for an hour", value={"theme": "dark"}, ttl_seconds=3600)
BATCH = body_like(
    "Count, and keep the result with it",
    atomic=True,
    operations=[
        {"op": "increment", "key": "visits", "by": 1},
        {"op": "set", "key": "last-visit", "value": "2026-04-28T09:00:00Z"},
        {"op": "get", "key": "visits"},
    ],
)
BROADCAST = body_like(
    "A note to who is in a room", topic="room:launch", event="note", payload={"text": "Shipped."}
)
ISSUE_KEY = body_like("A key that may only read", name="Nightly report", scopes=["read"])
ORGANIZATION = body_like("Days as in Berlin", time_zone="Europe/Berlin")
MEMBER = body_like("Somebody who may only read", email="ana@example.com", role="viewer")
ROLE = body_like("May change things", role="member")
HOOK = body_like(
    "The secret that Fathom shows",
    signing_secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",  # noqa: S106 - an example
)
SECRET = body_like("A key of a provider", name="openai_api_key", value="sk-your-key")
SUMMARY = body_like("What happened today", type="daily_digest", timezone="Europe/Oslo")
DIGEST_SCHEDULE = body_like("Each morning from seven", hour=7, timezone="Europe/Oslo")
AI_SETTINGS = body_like("Mask addresses and numbers before they leave", redaction=True)
AI_BUDGET = body_like("At most 25 USD", amount="25.00")
AUTO_RESPONSE = body_like(
    "An answer outside of office hours, for a person to approve",
    name="Outside of hours",
    rule_type="rule_based",
    trigger_conditions={"timeRange": {"start": "18:00", "end": "08:00", "timezone": "Europe/Oslo"}},
    response_template="Hello {sender_name}, we are closed and will answer in the morning.",
    action="draft",
)
RULE_ORDER = body_like("No rules yet", ids=[])
RULE_TEST = body_like(
    "A message that nobody sent",
    message={"body": "When will my invoice be paid?", "sender_name": "Ada Sorensen"},
)
DRAFT = body_like(
    "A mail to propose",
    type="email",
    channel="email",
    to="ada@northwind.example",
    subject="Your question about the API",
    content="Yes, it takes batches of 500.",
    reason="She asked twice.",
)
EDIT = body_like("Other words", content="Yes, it takes batches of up to 500.")
REJECT = body_like("Why not", reason="The price is wrong.")
DECIDE = body_like(
    "Approve two",
    decision="approve",
    ids=["01890000-0000-7000-8000-000000000001", "01890000-0000-7000-8000-000000000002"],
)
SEND_POLICY = body_like("Longer hours", hours_start="07:00", hours_end="20:00")
DO_NOT_CONTACT = body_like(
    "Somebody who asked", kind="email", value="bo@example.com", reason="Asked on the phone."
)
MAILBOX = body_like(
    "An inbox over TLS",
    host="imap.acme.example",
    user="support@acme.example",
    password="its password",  # noqa: S106 - an example
)
GATEWAY = body_like("A gateway of our own", url="https://gateway.example/messages")
BRAINSTORM = body_like("A question to find ideas for", topic="How do we win more pilots?")
BRAINSTORM_CHANGE = body_like("Another framework", framework="scamper")
SHARE = body_like("Somebody who writes too", role="editor")
IDEA = body_like("An idea with tags", text="Offer a free data check", tags=["sales"])
IDEA_CHANGE = body_like("Selected", status="selected", priority="high")
CLUSTER = body_like("A group of ideas", name="Before the pilot")
PICKED_SUGGESTIONS = body_like("The first and the third", items=[0, 2])
ASK_ENGINE = body_like("By the local engine", engine="local")
