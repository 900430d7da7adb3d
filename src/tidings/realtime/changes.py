"""Row changes of chosen tables, written by triggers: topics `changes:…`, events named by operation.

The payload is what the trigger shows of the row; `many` stands for more than a hundred rows that
one statement changed, and means: read again.
"""

from tidings.base.tenant import Tenant
from tidings.realtime.outbox import Event
from tidings.realtime.topics import TopicChecks

CHANGES = "changes"

TABLES = frozenset({"meetings", "companies", "members", "keys"})
_OWN = f"{CHANGES}:keys"


async def _chosen(_tenant: Tenant, rest: str) -> bool:
    return rest in TABLES


TOPICS: TopicChecks = {CHANGES: _chosen}


def may_see(tenant: Tenant, event: Event) -> bool:
    """Whether a member could read the row that an event tells of, as its table's policies have it.

    Rows of keys are their owner's and the admins'; the others every member reads.
    """
    if event.topic != _OWN or event.event == "many":
        return True
    return tenant.is_admin or event.payload["user_id"] == str(tenant.user_id)
