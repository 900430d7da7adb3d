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
HOOK = body_like(
    "The secret that Fathom shows",
    signing_secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",  # noqa: S106 - an example
)
SECRET = body_like("A key of a provider", name="openai_api_key", value="sk-your-key")
AI_SETTINGS = body_like("Mask addresses and numbers before they leave", redaction=True)
AI_BUDGET = body_like("At most 25 USD", amount="25.00")
BRAINSTORM = body_like("A question to find ideas for", topic="How do we win more pilots?")
BRAINSTORM_CHANGE = body_like("Another framework", framework="scamper")
SHARE = body_like("Somebody who writes too", role="editor")
IDEA = body_like("An idea with tags", text="Offer a free data check", tags=["sales"])
IDEA_CHANGE = body_like("Selected", status="selected", priority="high")
CLUSTER = body_like("A group of ideas", name="Before the pilot")
ASK_ENGINE = body_like("By the local engine", engine="local")
