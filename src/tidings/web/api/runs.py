"""Runs: how a piece of work stands, live, and a way to stop it."""

from collections.abc import AsyncGenerator
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from tidings.base.cursor import Page, decode_cursor, listing
from tidings.base.errors import RoleForbidden
from tidings.queue.runs import Run, cancel_run, get_run, list_runs
from tidings.tenancy.access import Access
from tidings.tenancy.api_keys import Area, scopes_allow
from tidings.web.answers import Answer, keep
from tidings.web.documented import Idempotent, documented
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.live import while_allowed
from tidings.web.paging import Cursor, Limit
from tidings.web.services import Services
from tidings.web.stream import EVENTS, KEEP_ALIVE, begun

_AREAS: dict[str, Area] = {
    "brainstorm": "brainstorm",
    "engagement": "engagement",
    "intelligence": "messages",
    "summaries": "summaries",
}
"""What a run belongs to, by what its kind begins with: a key that may start one may follow it."""


class RunPage(msgspec.Struct, frozen=True):
    """One page of runs."""

    items: list[Run]
    next_cursor: str | None


class CancelAnswer(msgspec.Struct, frozen=True):
    """The state a run is in after it was asked to stop."""

    id: UUID
    status: str


@get("/runs", opt={"by_kind": True}, responses=documented(403), operation_id="listRuns")
async def runs(
    access: GivenAccess,
    services: GivenServices,
    limit: Limit = 50,
    cursor: Cursor = None,
    kind: Annotated[str | None, QueryParameter(max_length=63)] = None,
    subject: Annotated[str | None, QueryParameter(max_length=1024)] = None,
) -> RunPage:
    """Runs of the organization, newest first: of the kinds that a key may read."""
    families = _families(access)
    page = Page(limit, cursor)
    of = listing("runs", kind=kind, subject=subject)
    before = decode_cursor(of, page.cursor, UUID)
    found = await list_runs(
        services.db,
        access.tenant,
        kind=kind,
        families=families if access.scopes else None,
        subject=subject,
        before=before,
        limit=limit + 1,
    )
    return RunPage(*page.cut(of, found, lambda run: run.id))


@get(
    "/runs/{run_id:uuid}",
    opt={"by_kind": True},
    responses=documented(403, 404),
    operation_id="getRun",
)
async def run(access: GivenAccess, services: GivenServices, run_id: FromPath[UUID]) -> Run:
    """One run: kind, status, progress, result and error."""
    return await _allowed(services, access, run_id)


@get(
    "/runs/{run_id:uuid}/events",
    opt={"by_kind": True},
    media_type=EVENTS,
    responses=documented(403, 404),
    operation_id="watchRun",
)
async def events(
    access: GivenAccess, services: GivenServices, run_id: FromPath[UUID]
) -> ServerSentEvent:
    """Its state now, then every change as `progress`, `complete`, `error` or `cancelled` (SSE)."""
    return ServerSentEvent(await begun(_watch(services, access, run_id)))


@post(
    "/runs/{run_id:uuid}/cancel",
    status_code=200,
    opt={"by_kind": True},
    responses=documented(403, 404, 409, 413, 422),
    operation_id="cancelRun",
    operation_class=Idempotent,
)
async def cancel(
    request: Request[Any, Any, Any],
    access: GivenAccess,
    services: GivenServices,
    run_id: FromPath[UUID],
) -> Response[CancelAnswer]:
    """Stop a run; one that has ended stays as it is."""
    access.require_writer()
    families = _families(access, write=True)
    status = await cancel_run(
        services.db, access.tenant, run_id, families=families if access.scopes else None
    )
    services.relay.nudge()
    return await keep(request, services, Answer(CancelAnswer(run_id, status), 200))


def runs_router() -> Router:
    """Everything below `/v1/runs`."""
    return Router("/v1", route_handlers=[runs, run, events, cancel], tags=["Runs"])


def _families(access: Access, *, write: bool = False) -> list[str]:
    """What kinds may begin with for this key. Raises `RoleForbidden` when there is nothing."""
    if not access.scopes:
        return list(_AREAS)
    found = [one for one, area in _AREAS.items() if scopes_allow(access.scopes, area, write=write)]
    if not found:
        raise RoleForbidden("This key's scopes do not allow this.")
    return found


async def _allowed(services: Services, access: Access, run_id: UUID) -> Run:
    """A run of a kind that the key may read. Raises `RowMissing`, `RoleForbidden`."""
    _families(access)
    found = await get_run(services.db, access.tenant, run_id)
    access.require_scope(_AREAS.get(found.kind.partition(".")[0], "admin"))
    return found


async def _watch(
    services: Services, access: Access, run_id: UUID
) -> AsyncGenerator[ServerSentEventMessage, None]:
    tenant = access.tenant
    # Subscribed first and read second: a change between the two is seen twice, never lost.
    async with services.hub.subscribe(tenant, [f"run:{run_id}"]) as subscription:
        state = await _allowed(services, access, run_id)
        yield _message(_event_of(state), state)
        if not state.is_live:
            return
        async for event in while_allowed(services, access, subscription):
            if event is None:
                yield KEEP_ALIVE
                continue
            if event.event == "progress" and event.created_at < state.updated_at:
                continue  # published late: the state above is newer, and progress goes forward
            yield _message(event.event, event.payload, str(event.position))
            if event.event in ("complete", "error", "cancelled"):
                return


def _event_of(state: Run) -> str:
    return "progress" if state.is_live else state.status


def _message(name: str, data: Any, event_id: str | None = None) -> ServerSentEventMessage:
    text = msgspec.json.encode(data).decode()
    return ServerSentEventMessage(event=name, data=text, id=event_id, retry=2000)
