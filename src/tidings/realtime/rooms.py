"""Topics that people write to: rooms of an organization, and one topic for each of its people."""

from tidings.base.errors import FieldProblem, InputInvalid, RoleForbidden
from tidings.base.tenant import Tenant
from tidings.realtime.topics import TopicChecks

ROOM = "room"
USER = "user"
BOARD = "brainstorm"

SHOWS_PRESENCE = frozenset({ROOM, BOARD})
"""Where people can be seen: by whoever may read the topic."""


async def _room(_tenant: Tenant, rest: str) -> bool:
    return bool(rest)


async def _own(tenant: Tenant, rest: str) -> bool:
    return rest == str(tenant.user_id)


TOPICS: TopicChecks = {ROOM: _room, USER: _own}
"""Everybody in the organization may read a room; what is sent to a person, that person alone."""


def check_sender(tenant: Tenant, topic: str) -> None:
    """Raise unless the tenant may send to a topic.

    `InputInvalid` for one that only services write to, `RoleForbidden` for those who only read.
    """
    prefix, _, rest = topic.partition(":")
    if prefix not in TOPICS or not rest:
        problem = FieldProblem("topic", "is none that people send to; take room:… or user:…")
        raise InputInvalid(f"{topic} {problem.message}.", errors=[problem])
    if not tenant.may_write:
        raise RoleForbidden("Your role may listen here, not send.")
