"""API keys over HTTP, for automation that rotates its own."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.params import FromPath

from tidings.base.cursor import Page, decode_cursor, encode_cursor
from tidings.base.tenant import Role
from tidings.tenancy.api_keys import ApiKey, issue_key, list_keys, revoke_key
from tidings.web import examples
from tidings.web.answers import Answer, keep
from tidings.web.documented import Idempotent, documented
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.paging import Cursor, Limit


class IssueRequest(msgspec.Struct, frozen=True):
    """A key to make; without `role` it gets yours, without `scopes` everything that role may."""

    name: str
    role: Role | None = None
    scopes: list[str] = []
    expires_at: datetime | None = None


class IssuedAnswer(msgspec.Struct, frozen=True):
    """A new key; `key` is null when the request is repeated."""

    id: UUID
    key: str | None
    prefix: str
    role: Role


class KeyPage(msgspec.Struct, frozen=True):
    """One page of keys."""

    items: list[ApiKey]
    next_cursor: str | None


@post(
    "/api-keys",
    status_code=201,
    opt={"scope": "engagement", "own": True},
    responses=documented(403, 409, 413, 422),
    operation_id="issueApiKey",
    operation_class=Idempotent,
)
async def issue(
    request: Request[Any, Any, Any],
    data: Annotated[IssueRequest, examples.ISSUE_KEY],
    access: GivenAccess,
    services: GivenServices,
) -> Response[IssuedAnswer]:
    """Make a key; its text is in this answer and nowhere else, not even in a repeat."""
    issued = await issue_key(
        services.db,
        access.tenant,
        data.name,
        role=data.role,
        scopes=data.scopes,
        expires_at=data.expires_at,
        held=access.scopes,
        kind=access.kind,
    )
    body = IssuedAnswer(issued.id, issued.key, issued.prefix, issued.role)
    hidden = Answer(msgspec.structs.replace(body, key=None), 201)
    answer = Answer(body, 201, {"cache-control": "no-store"})
    return await keep(request, services, answer, kept=hidden)


@get(
    "/api-keys",
    opt={"scope": "engagement"},
    responses=documented(403),
    operation_id="listApiKeys",
)
async def keys(
    access: GivenAccess, services: GivenServices, limit: Limit = 50, cursor: Cursor = None
) -> KeyPage:
    """Your keys, or for admins everybody's, newest first; never their text."""
    page = Page(limit, cursor)
    after = decode_cursor("api-keys", page.cursor, UUID)
    found = await list_keys(services.db, access.tenant, after=after, limit=limit + 1)
    items = found[:limit]
    more = encode_cursor("api-keys", items[-1].id) if len(found) > limit else None
    return KeyPage(items, more)


@delete(
    "/api-keys/{key_id:uuid}",
    opt={"scope": "engagement", "own": True},
    responses=documented(403, 404),
    operation_id="revokeApiKey",
)
async def revoke(access: GivenAccess, services: GivenServices, key_id: FromPath[UUID]) -> None:
    """End a key at once."""
    await revoke_key(services.db, access.tenant, key_id, kind=access.kind)


def keys_router() -> Router:
    """Everything below `/v1/api-keys`."""
    return Router("/v1", route_handlers=[issue, keys, revoke], tags=["API keys"])
