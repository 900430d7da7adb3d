"""What the web needs of the rest; the wiring builds it once per process."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from tidings.ai.gateway import Gateway
from tidings.base.settings import Settings
from tidings.db.transaction import Database
from tidings.kv.store import Kv
from tidings.realtime.broadcast import Broadcasts
from tidings.realtime.presence import Presences
from tidings.realtime.relay import Relay
from tidings.realtime.subscribe import Hub
from tidings.recall.cache import Recall
from tidings.tenancy.access import Requests
from tidings.tenancy.own_data import Own
from tidings.tenancy.secret_keys import SecretKeys

BODY = 1024 * 1024
"""Most bytes of a body, but for the routes that take more."""
KV_BODY = BODY + 4096
"""A KV value of 1 MiB and its wrapper."""
LARGE_BODY = 64 * BODY
"""Meetings, messages, batches and imports."""


@dataclass(frozen=True)
class Services:
    """One of each per process."""

    settings: Settings
    db: Database
    kv: Kv
    hub: Hub
    relay: Relay
    recall: Recall
    broadcasts: Broadcasts
    presences: Presences
    gateway: Gateway
    requests: Requests
    keys: SecretKeys
    own: Sequence[Own]
    """What each domain keeps of a person."""

    def changed(self, organization_id: UUID, *families: str) -> None:
        """Say that this process committed a change of what is remembered under these tags.

        It forgets at once, so that who wrote reads it; other processes hear of it in a moment.
        """
        self.recall.drop(organization_id, families)
        self.relay.nudge()
