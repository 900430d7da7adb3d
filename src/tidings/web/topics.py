"""Which topics the doors open, and what a key's scopes must allow for each."""

from collections.abc import Mapping, Sequence

from tidings.base.errors import FieldProblem, InputInvalid
from tidings.tenancy.access import Access
from tidings.tenancy.api_keys import Area

_AREAS: Mapping[str, Area] = {
    "run": "engagement",
    "room": "engagement",
    "user": "engagement",
    "channel": "messages",
    "approvals": "approvals",
    "brainstorm": "brainstorm",
    "changes:meetings": "meetings",
    "changes:companies": "meetings",
    "changes:members": "engagement",
    "changes:keys": "engagement",
}
"""By topic or prefix. Others are the services' own; `kv` has a door of its own, `kv-watch`."""


def check_areas(access: Access, topics: Sequence[str], *, write: bool = False) -> None:
    """Raise `InputInvalid` for a topic no door opens, `RoleForbidden` where scopes forbid it."""
    for topic in topics:
        area = _AREAS.get(topic) or _AREAS.get(topic.partition(":")[0])
        if area is None:
            problem = FieldProblem("topics", f"{topic} is not a topic")
            raise InputInvalid(f"There is no topic {topic}.", errors=[problem])
        access.require_scope(area, write=write)
