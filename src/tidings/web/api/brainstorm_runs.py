"""What engines say of a board, and the board told: results, changes, analytics, files."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, Operation, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath, QueryParameter

from tidings.base import clock
from tidings.brainstorm import changes
from tidings.brainstorm.analytics import Analytics, analyse
from tidings.brainstorm.asking import (
    Ask,
    AskAnswer,
    Result,
    add_answer,
    ask_engine,
    get_result,
    list_results,
)
from tidings.brainstorm.board import OperationPage, get_board, list_operations
from tidings.brainstorm.export import FORMATS, Exported, Format, export_board
from tidings.brainstorm.operations import OPERATIONS, Asked
from tidings.db.transaction import Transaction
from tidings.web import examples
from tidings.web.answers import Answer, keep, write
from tidings.web.documented import Idempotent, documented
from tidings.web.given import GivenAccess, GivenServices

_OPTIONS: dict[str, Any] = {"opt": {"scope": "brainstorm"}}
_FOUND = ResponseSpec(AskAnswer, description="The same was asked before.", generate_examples=False)


@dataclass
class OfFiles(Operation):
    """A download of one of several media types."""

    def __post_init__(self) -> None:
        """Document them: a handler can name one alone."""
        text = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
        told = {kind: text for _, kind, _ in FORMATS.values()}
        told["application/json"] = OpenAPIMediaType(schema=Schema(type=OpenAPIType.OBJECT))
        assert self.responses is not None
        self.responses["200"] = OpenAPIResponse(description="The file.", content=told)


class Restored(msgspec.Struct, frozen=True):
    """What is on the board again: `kind` is idea or cluster."""

    id: UUID
    kind: str


class Picked(msgspec.Struct, frozen=True):
    """Places in an answer's suggestions, from 0; left out: all of them."""

    items: list[int] | None = None


class Added(msgspec.Struct, frozen=True):
    """The ideas that are new on the board; those it had already are not among them."""

    idea_ids: list[UUID]


class ResultList(msgspec.Struct, frozen=True):
    """What engines answered, the latest first."""

    items: list[Result]


def ask_route(operation: Asked) -> HTTPRouteHandler:
    """`POST /brainstorms/{id}/<operation>`."""

    @post(
        f"/brainstorms/{{session_id:uuid}}/{operation}",
        status_code=202,
        responses={200: _FOUND, **documented(403, 404, 409, 413, 422)},
        operation_id=f"{operation}Brainstorm",
        operation_class=Idempotent,
        **_OPTIONS,
    )
    async def ask(
        request: Request[Any, Any, Any],
        data: Annotated[Ask, examples.ASK_ENGINE],
        access: GivenAccess,
        services: GivenServices,
        session_id: FromPath[UUID],
    ) -> Response[AskAnswer]:
        """Ask an engine: 202 with the run to wait for, or 200 with what was answered before."""
        found = await ask_engine(
            services.db, services.gateway, access.tenant, session_id, operation, data
        )
        services.relay.nudge()
        return await keep(request, services, Answer(found, 200 if found.from_cache else 202))

    return ask


@get(
    "/brainstorms/{session_id:uuid}/results",
    responses=documented(403, 404),
    operation_id="listBrainstormResults",
    **_OPTIONS,
)
async def results(
    access: GivenAccess,
    services: GivenServices,
    session_id: FromPath[UUID],
    limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20,
    before: Annotated[
        UUID | None, QueryParameter(description="Those before the result of this id.")
    ] = None,
) -> ResultList:
    """What engines answered about a board, the latest first."""
    found = await list_results(services.db, access.tenant, session_id, before=before, limit=limit)
    return ResultList(found)


@get(
    "/brainstorms/{session_id:uuid}/results/{result_id:uuid}",
    responses=documented(403, 404),
    operation_id="getBrainstormResult",
    **_OPTIONS,
)
async def result(
    access: GivenAccess,
    services: GivenServices,
    session_id: FromPath[UUID],
    result_id: FromPath[UUID],
) -> Result:
    """One answer; its id is that of the run that made it."""
    return await get_result(services.db, access.tenant, session_id, result_id)


@post(
    "/brainstorms/{session_id:uuid}/results/{result_id:uuid}/ideas",
    status_code=200,
    responses=documented(403, 404, 409, 413, 422),
    operation_id="addBrainstormResult",
    operation_class=Idempotent,
    **_OPTIONS,
)
async def add_result(
    request: Request[Any, Any, Any],
    data: Annotated[Picked, examples.PICKED_SUGGESTIONS],
    access: GivenAccess,
    services: GivenServices,
    session_id: FromPath[UUID],
    result_id: FromPath[UUID],
) -> Response[Added]:
    """Make ideas of what an answer suggests: new ideas, gaps' suggestions, next steps."""
    added = await add_answer(services.db, access.tenant, session_id, result_id, data.items)
    services.relay.nudge()
    return await keep(request, services, Answer(Added(added), 200))


@get(
    "/brainstorms/{session_id:uuid}/operations",
    responses=documented(403, 404),
    operation_id="listBrainstormOperations",
    **_OPTIONS,
)
async def operations(
    access: GivenAccess,
    services: GivenServices,
    session_id: FromPath[UUID],
    after: Annotated[
        int, QueryParameter(ge=0, le=2**53, description="Changes after this version.")
    ] = 0,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
) -> OperationPage:
    """Every change of a board in its order, to catch up with."""
    return await list_operations(services.db, access.tenant, session_id, after, limit)


@post(
    "/brainstorms/{session_id:uuid}/deleted/{subject_id:uuid}/restore",
    status_code=200,
    responses=documented(403, 404, 409, 413, 422),
    operation_id="restoreOnBrainstorm",
    operation_class=Idempotent,
    **_OPTIONS,
)
async def restore(
    request: Request[Any, Any, Any],
    access: GivenAccess,
    services: GivenServices,
    session_id: FromPath[UUID],
    subject_id: FromPath[UUID],
) -> Response[Restored]:
    """Put an idea back with its votes, or a cluster with its ideas; safe to repeat."""

    async def work(transaction: Transaction) -> Answer:
        kind = await changes.restore(transaction, session_id, subject_id)
        return Answer(Restored(subject_id, kind), 200)

    response = await write(request, services, access.tenant, work)
    services.relay.nudge()
    return response


@get(
    "/brainstorms/{session_id:uuid}/analytics",
    responses=documented(403, 404),
    operation_id="analyseBrainstorm",
    **_OPTIONS,
)
async def analytics(
    access: GivenAccess, services: GivenServices, session_id: FromPath[UUID]
) -> Analytics:
    """Counts, votes, distribution and momentum."""
    return analyse(await get_board(services.db, access.tenant, session_id), clock.now())


@get(
    "/brainstorms/{session_id:uuid}/export",
    responses=documented(403, 404),
    operation_id="exportBrainstorm",
    operation_class=OfFiles,
    **_OPTIONS,
)
async def export(
    access: GivenAccess,
    services: GivenServices,
    session_id: FromPath[UUID],
    file_format: Annotated[Format, QueryParameter(name="format")] = "markdown",
) -> Response[bytes]:
    """The board as Markdown, JSON, CSV, a Mermaid mind map or slides in HTML."""
    board = await get_board(services.db, access.tenant, session_id)
    return file_answer(export_board(board, file_format))


def file_answer(file: Exported) -> Response[bytes]:
    """A download."""
    headers = {"content-disposition": f'attachment; filename="{file.name}"'}
    return Response(file.body, media_type=file.media_type, headers=headers)


def run_routes() -> list[HTTPRouteHandler]:
    """For the router of brainstorms."""
    asked = [ask_route(operation) for operation in OPERATIONS]
    return [*asked, results, result, add_result, operations, restore, analytics, export]
