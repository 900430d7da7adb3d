"""Where Fathom posts new meetings, and where admins make such addresses."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.params import FromPath

from tidings.meetings.hooks import Delivered, Hook, create_hook, list_hooks, receive, revoke_hook
from tidings.tenancy.secrets import delete_secret, set_secret
from tidings.web import examples
from tidings.web.answers import Answer, keep
from tidings.web.documented import Idempotent, documented
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.services import LARGE_BODY


class HookRequest(msgspec.Struct, frozen=True):
    """The signing secret that Fathom shows when the webhook is made there (`whsec_…`)."""

    signing_secret: str


class HookAnswer(msgspec.Struct, frozen=True):
    """A new address; `path` holds its token, and is null when the request is repeated."""

    id: UUID
    path: str | None


class SecretRequest(msgspec.Struct, frozen=True):
    """A secret of an outside system, such as `fathom_api_key` or `openai_api_key`."""

    name: str
    value: str


class SecretAnswer(msgspec.Struct, frozen=True):
    """The secret that was stored."""

    name: str


@post(
    "/hooks/fathom/{token:str}",
    status_code=200,
    opt={"public": True, "rows": True},
    request_max_body_size=LARGE_BODY,
    responses=documented(404, 413),
    operation_id="receiveFathom",
    security=[],
)
async def receive_fathom(
    request: Request[Any, Any, Any], services: GivenServices, token: FromPath[str]
) -> Delivered:
    """A meeting that is ready, signed as Standard Webhooks; a repeated delivery changes nothing."""
    headers = dict(request.headers.items())
    delivered = await receive(services.db, services.keys, token, headers, request.body)
    services.relay.nudge()
    return delivered


@post(
    "/hooks",
    status_code=201,
    opt={"scope": "admin"},
    responses=documented(403, 409, 413, 422),
    operation_id="createHook",
    operation_class=Idempotent,
)
async def create(
    request: Request[Any, Any, Any],
    data: Annotated[HookRequest, examples.HOOK],
    access: GivenAccess,
    services: GivenServices,
) -> Response[HookAnswer]:
    """Make an address for Fathom to post to."""
    hook = await create_hook(
        services.db, services.keys, access.tenant, data.signing_secret, kind=access.kind
    )
    answer = HookAnswer(hook.id, f"/v1/hooks/fathom/{hook.token}")
    hidden = Answer(msgspec.structs.replace(answer, path=None), 201)
    return await keep(request, services, Answer(answer, 201), kept=hidden)


@get("/hooks", opt={"scope": "admin"}, responses=documented(403), operation_id="listHooks")
async def hooks(access: GivenAccess, services: GivenServices) -> list[Hook]:
    """The organization's addresses."""
    return await list_hooks(services.db, access.tenant)


@delete(
    "/hooks/{hook_id:uuid}",
    opt={"scope": "admin"},
    responses=documented(403, 404),
    operation_id="revokeHook",
)
async def revoke(access: GivenAccess, services: GivenServices, hook_id: FromPath[UUID]) -> None:
    """End an address; what comes to it afterwards is 404."""
    await revoke_hook(services.db, access.tenant, hook_id, kind=access.kind)


@post(
    "/secrets",
    status_code=200,
    opt={"scope": "admin"},
    responses=documented(403, 409, 413, 422),
    operation_id="setSecret",
    operation_class=Idempotent,
)
async def store_secret(
    request: Request[Any, Any, Any],
    data: Annotated[SecretRequest, examples.SECRET],
    access: GivenAccess,
    services: GivenServices,
) -> Response[SecretAnswer]:
    """Store a secret, sealed; nobody can read it again."""
    await set_secret(
        services.db, services.keys, access.tenant, data.name, data.value, kind=access.kind
    )
    return await keep(request, services, Answer(SecretAnswer(data.name), 200))


@delete(
    "/secrets/{name:str}",
    opt={"scope": "admin"},
    responses=documented(403, 404),
    operation_id="deleteSecret",
)
async def remove_secret(access: GivenAccess, services: GivenServices, name: FromPath[str]) -> None:
    """Remove a secret."""
    await delete_secret(services.db, access.tenant, name, kind=access.kind)


def hooks_router() -> Router:
    """Everything below `/v1/hooks`, and the secrets of outside systems."""
    return Router(
        "/v1",
        route_handlers=[
            receive_fathom,
            create,
            hooks,
            revoke,
            store_secret,
            remove_secret,
        ],
        tags=["Connections"],
    )
