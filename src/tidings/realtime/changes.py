"""Row changes of chosen tables, written by triggers: topics `changes:…`, events named by operation.

The payload is what the trigger shows of the row; `many` stands for more than a hundred rows that
one statement changed, and means: read again.
"""

from collections.abc import Sequence

from tidings.base.tenant import Tenant
from tidings.realtime.outbox import Event
from tidings.realtime.subscription import Wanted
from tidings.realtime.topics import TopicChecks

CHANGES = "changes"

TABLES = frozenset({"meetings", "companies", "members", "keys"})
_OWN = f"{CHANGES}:keys"


async def _chosen(_tenant: Tenant, rest: str) -> bool:
    return rest in TABLES


TOPICS: TopicChecks = {CHANGES: _chosen}


def rows_for(tenant: Tenant, topics: Sequence[str]) -> Wanted | None:
    """Which events of these topics tell of rows that the tenant could read; None: all do.

    As the policies of the tables have it: keys are their owner's and the admins', the others every
    member reads.
    """
    if tenant.is_admin or _OWN not in topics:
        return None
    person = str(tenant.user_id)

    def is_theirs(event: Event) -> bool:
        return event.topic != _OWN or event.event == "many" or event.payload["user_id"] == person

    return is_theirs
