"""Who may subscribe to what: each domain names its topics' prefix and checks them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from tidings.base.errors import FieldProblem, InputInvalid, RowMissing
from tidings.base.tenant import Tenant
from tidings.base.text import check_text
from tidings.realtime.outbox import LONGEST_TOPIC

MOST_TOPICS = 100

TopicCheck = Callable[[Tenant, str], Awaitable[bool]]
"""Whether the tenant may read a topic, given what follows its prefix: of `run:0198…`, `0198…`."""

TopicChecks = Mapping[str, TopicCheck]
"""By prefix: of `run:0198…`, `run`."""


async def any_member(_tenant: Tenant, _rest: str) -> bool:
    """For topics that everybody in the organization may read.

    Events carry their organization, so no one else's are ever handed out.
    """
    return True


async def check_topics(checks: TopicChecks, tenant: Tenant, topics: Sequence[str]) -> None:
    """Raise `InputInvalid` for a topic that cannot be, `RowMissing` for one that is not shown."""
    if not 1 <= len(topics) <= MOST_TOPICS:
        problem = FieldProblem("topics", f"name 1 to {MOST_TOPICS} of them")
        raise InputInvalid(f"Name 1 to {MOST_TOPICS} topics.", errors=[problem])
    for topic in topics:
        prefix, _, rest = check_text("topics", topic, octets=LONGEST_TOPIC).partition(":")
        check = checks.get(prefix)
        if check is None:
            problem = FieldProblem("topics", f"{topic} is not a topic")
            raise InputInvalid(f"There is no topic {topic}.", errors=[problem])
        if not await check(tenant, rest):
            raise RowMissing
