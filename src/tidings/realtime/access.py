"""Whoever may have gained or lost rights: an event on a topic of their own, written by triggers.

It comes in the order of everything else: who was removed before an event was published is not shown
that event once this one was acted on.
"""

from tidings.base.tenant import Tenant
from tidings.realtime.topics import TopicChecks

ACCESS = "access"


async def _own(tenant: Tenant, rest: str) -> bool:
    return rest == str(tenant.user_id)


TOPICS: TopicChecks = {ACCESS: _own}
"""For those who hold connections open, not for the people on them."""


def access_topic(tenant: Tenant) -> str:
    """Where changes of this person's rights are told."""
    return f"{ACCESS}:{tenant.user_id}"
