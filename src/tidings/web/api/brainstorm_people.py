"""Whom a brainstorm is shared with."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import delete, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from tidings.brainstorm import changes
from tidings.web import examples
from tidings.web.documented import documented
from tidings.web.given import GivenAccess, GivenServices

OPTIONS: dict[str, Any] = {"opt": {"scope": "brainstorm"}}


class Share(msgspec.Struct, frozen=True):
    """What a collaborator may do: read, or read and write."""

    role: Literal["viewer", "editor"] = "viewer"


@put(
    "/brainstorms/{session_id:uuid}/collaborators/{user_id:uuid}",
    responses=documented(403, 404, 409, 413),
    status_code=204,
    operation_id="shareBrainstorm",
    **OPTIONS,
)
async def share(
    data: Annotated[Share, examples.SHARE],
    access: GivenAccess,
    services: GivenServices,
    session_id: FromPath[UUID],
    user_id: FromPath[UUID],
) -> None:
    """Bring in a member of the organization as viewer or editor; the owner alone may."""
    async with services.db.tenant_transaction(access.tenant) as transaction:
        await changes.share_brainstorm(transaction, session_id, user_id, data.role)
    services.relay.nudge()


@delete(
    "/brainstorms/{session_id:uuid}/collaborators/{user_id:uuid}",
    responses=documented(403, 404),
    operation_id="unshareBrainstorm",
    **OPTIONS,
)
async def unshare(
    access: GivenAccess,
    services: GivenServices,
    session_id: FromPath[UUID],
    user_id: FromPath[UUID],
) -> None:
    """Take a collaborator out: the owner anybody, everybody themselves."""
    async with services.db.tenant_transaction(access.tenant) as transaction:
        await changes.unshare_brainstorm(transaction, session_id, user_id)
    services.relay.nudge()


def people_routes() -> list[HTTPRouteHandler]:
    """For the router of brainstorms."""
    return [share, unshare]
