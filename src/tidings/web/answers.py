"""Answers to writes: the effect and the kept answer of its Idempotency-Key commit together."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import structlog
from litestar import Response

from tidings.base.errors import DatabaseBusy, DatabaseUnavailable
from tidings.base.tenant import Tenant
from tidings.db.transaction import Transaction
from tidings.tenancy.idempotency import release_claim, save_answer
from tidings.web.auth import AnyRequest, access_of, services_of
from tidings.web.services import Services

_JSON = "application/json"

log = structlog.get_logger(__name__)


class Answer(msgspec.Struct, frozen=True):
    """What a handler answers; `body` None is an empty answer."""

    body: Any
    status: int
    headers: Mapping[str, str] = {}


async def write(
    request: AnyRequest,
    services: Services,
    tenant: Tenant,
    work: Callable[[Transaction], Awaitable[Answer]],
) -> Response[Any]:
    """Do `work` in one tenant transaction and answer; the answer is kept in that transaction."""
    async with services.db.tenant_transaction(tenant) as transaction:
        answer = await work(transaction)
        body = encode(answer)
        access = access_of(request)
        if access is not None and access.claim is not None:
            save_answer(transaction, access.claim, answer.status, answer.headers, body)
    settle(request)
    return respond(answer.status, answer.headers, body)


async def keep(
    request: AnyRequest, services: Services, answer: Answer, *, kept: Answer | None = None
) -> Response[Any]:
    """Answer for work that is committed already and may be repeated, such as cancelling.

    `kept` is what a repeat gets instead, where the answer holds a secret that is shown only once.
    """
    access = access_of(request)
    if access is not None and access.claim is not None:
        saved = kept or answer
        async with services.db.tenant_batch(access.tenant) as batch:
            save_answer(batch, access.claim, saved.status, saved.headers, encode(saved))
    settle(request)
    return respond(answer.status, answer.headers, encode(answer))


def encode(answer: Answer) -> bytes:
    """The body as it goes out."""
    return b"" if answer.body is None else msgspec.json.encode(answer.body)


def respond(status: int, headers: Mapping[str, str], body: bytes) -> Response[Any]:
    """A response of bytes that are JSON already."""
    return Response(
        content=body or None,
        status_code=status,
        headers=dict(headers),
        media_type=_JSON if body else None,
    )


def settle(request: AnyRequest) -> None:
    """Note that the Idempotency-Key of this request has its answer."""
    request.scope["state"]["settled"] = True


async def release_unsettled(_: Exception, scope: Any) -> None:
    """After a failure: give the Idempotency-Key back, so that a retry may run at once.

    Where the database is away it runs out by itself, and the answer is that of the failure.
    """
    request: AnyRequest = AnyRequest(scope)
    access = access_of(request)
    if access is None or access.claim is None or scope["state"].get("settled"):
        return
    try:
        await release_claim(services_of(request).db, access.tenant, access.claim)
    except (DatabaseBusy, DatabaseUnavailable) as error:
        log.warning("claim_left_to_run_out", error=error.message)
