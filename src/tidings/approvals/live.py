"""The topics of approvals: every move of one is an event, written by triggers.

`approvals` is for everybody in the organization; answers in a channel are told of on
`approvals:CHANNEL`, to its members.
"""

from tidings.base.tenant import Tenant
from tidings.db.transaction import Database
from tidings.messages.members import channel_topics
from tidings.realtime.topics import TopicChecks

TOPIC = "approvals"


def topic_of(channel_id: object) -> str:
    """Where moves of what is in a channel are told, or in none."""
    return TOPIC if channel_id is None else f"{TOPIC}:{channel_id}"


def approval_topics(db: Database) -> TopicChecks:
    """Who may listen to which."""
    sees = channel_topics(db)["channel"]

    async def may_listen(tenant: Tenant, rest: str) -> bool:
        return not rest or await sees(tenant, rest)

    return {TOPIC: may_listen}
