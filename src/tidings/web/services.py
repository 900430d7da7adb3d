"""What the web needs of the rest; the wiring builds it once per process."""

from dataclasses import dataclass

from tidings.ai.gateway import Gateway
from tidings.base.settings import Settings
from tidings.db.transaction import Database
from tidings.kv.store import Kv
from tidings.realtime.broadcast import Broadcasts
from tidings.realtime.presence import Presences
from tidings.realtime.relay import Relay
from tidings.realtime.subscribe import Hub
from tidings.tenancy.rate_leases import RateLeases
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
    broadcasts: Broadcasts
    presences: Presences
    gateway: Gateway
    rates: RateLeases
    keys: SecretKeys
