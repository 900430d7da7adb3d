"""What may be published, and by whom."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from tidings.base.errors import BodyTooLarge, InputInvalid, RoleForbidden
from tidings.db.transaction import Batch, Database
from tidings.realtime.outbox import publish
from tidings.realtime.relay import Relay

from factories.organizations import Organization


class Progress(msgspec.Struct):
    stage: str
    at: datetime


async def test_a_struct_is_published_as_json(
    db: Database, relay: Relay, organization: Organization, hub: Any
) -> None:
    moment = datetime(2026, 5, 1, tzinfo=UTC)
    async with hub.subscribe(organization.tenant, ["run:1"]) as events:
        async with db.tenant_batch(organization.tenant) as batch:
            publish(batch, "run:1", "progress", Progress("read", moment))
        await relay.turn()
        event = await anext(events)
    assert event.payload == {"stage": "read", "at": "2026-05-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("topic", "payload"),
    [("a\x00b", 1), ("a", {"deep": ["\x00"]}), ("a", {"b\x00": 1}), ("a", "\ud800")],
)
def test_text_that_cannot_be_kept_is_refused(topic: str, payload: Any) -> None:
    with pytest.raises(InputInvalid):
        publish(Batch(), topic, "said", payload)


def test_a_large_payload_is_refused() -> None:
    with pytest.raises(BodyTooLarge):
        publish(Batch(), "a", "said", "x" * 262_143)


async def test_the_largest_payload_fits(
    db: Database, relay: Relay, organization: Organization, hub: Any
) -> None:
    largest = ["x" * 262_142, [1] * 131_071]
    async with hub.subscribe(organization.tenant, ["run:1"]) as events:
        async with db.tenant_batch(organization.tenant) as batch:
            for payload in largest:
                publish(batch, "run:1", "e" * 100, payload)
            publish(batch, "t" * 512, "e" * 100, None)
        await relay.turn()
        assert [(await anext(events)).payload for _ in largest] == largest


async def test_a_viewer_publishes_nothing(db: Database, organization: Organization) -> None:
    with pytest.raises(RoleForbidden):
        async with db.tenant_batch(organization.acting("viewer")) as batch:
            publish(batch, "run:1", "said", 1)
