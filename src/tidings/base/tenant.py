"""Who a transaction acts for: an organization, a user in it, and that user's role."""

from typing import Literal
from uuid import UUID

import msgspec

Role = Literal["owner", "admin", "member", "viewer", "service"]

PERSON_ROLES: tuple[Role, ...] = ("owner", "admin", "member", "viewer")
"""The roles a person or an API key may have; `service` is for jobs alone."""


class Tenant(msgspec.Struct, frozen=True):
    """The principal whose rows the database shows.

    `user_id` is the person (or the user an API key acts as) even when `role` is `service`:
    a job runs for who enqueued it.
    """

    organization_id: UUID
    user_id: UUID
    role: Role

    def as_service(self) -> "Tenant":
        """The same organization and user, with the rights of Tidings' own services."""
        return Tenant(self.organization_id, self.user_id, "service")

    @property
    def is_admin(self) -> bool:
        """Whether this principal may administer the organization."""
        return self.role in ("owner", "admin")

    @property
    def may_write(self) -> bool:
        """Whether this principal may change anything at all."""
        return self.role != "viewer"
