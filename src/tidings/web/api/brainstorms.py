"""Brainstorms: boards of ideas that their owner and collaborators read and change."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post, put
from litestar.params import FromPath, HeaderParameter

from tidings.base.cursor import Page
from tidings.brainstorm import changes
from tidings.brainstorm.board import (
    Board,
    BrainstormPage,
    Cluster,
    Idea,
    get_board,
    list_brainstorms,
)
from tidings.db.transaction import Transaction
from tidings.tenancy.access import Access
from tidings.web import examples
from tidings.web.answers import Answer, write
from tidings.web.api.brainstorm_people import people_routes
from tidings.web.api.brainstorm_runs import run_routes
from tidings.web.documented import Idempotent, documented
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.paging import Cursor, Limit
from tidings.web.preconditions import etag, expected_version
from tidings.web.services import Services

IfMatch = Annotated[
    str | None,
    HeaderParameter(
        name="if-match",
        description='The version that was read, such as `"7"`; refused only when the same field '
        "changed after it.",
    ),
]
AnyRequest = Request[Any, Any, Any]
OPTIONS: dict[str, Any] = {"opt": {"scope": "brainstorm"}}


class Started(msgspec.Struct, frozen=True):
    """A new brainstorm."""

    id: UUID
    version: int


class Changed(msgspec.Struct, frozen=True):
    """The session's version after a change of itself."""

    id: UUID
    version: int


class ClusterName(msgspec.Struct, frozen=True):
    """A cluster's name."""

    name: str


async def _write(
    request: AnyRequest,
    services: Services,
    access: Access,
    work: Callable[[Transaction], Awaitable[Answer]],
) -> Response[Any]:
    response = await write(request, services, access.tenant, work)
    services.relay.nudge()
    return response


@get("/brainstorms", responses=documented(403), operation_id="listBrainstorms", **OPTIONS)
async def brainstorms(
    access: GivenAccess, services: GivenServices, limit: Limit = 50, cursor: Cursor = None
) -> BrainstormPage:
    """One's own brainstorms and those shared with one, the one changed last first."""
    return await list_brainstorms(services.db, access.tenant, Page(limit, cursor))


@post(
    "/brainstorms",
    status_code=201,
    responses=documented(403, 404, 409, 413, 422),
    operation_id="startBrainstorm",
    operation_class=Idempotent,
    **OPTIONS,
)
async def start(
    request: AnyRequest,
    data: Annotated[changes.NewBrainstorm, examples.BRAINSTORM],
    access: GivenAccess,
    services: GivenServices,
) -> Response[Started]:
    """Start a brainstorm; with `conversation`, on the open question of its messages."""

    async def work(transaction: Transaction) -> Answer:
        session_id, version = await changes.start_brainstorm(transaction, data)
        return Answer(Started(session_id, version), 201, {"etag": etag(version)})

    return await _write(request, services, access, work)


@get(
    "/brainstorms/{session_id:uuid}",
    responses=documented(403, 404),
    operation_id="getBrainstorm",
    **OPTIONS,
)
async def board(
    access: GivenAccess, services: GivenServices, session_id: FromPath[UUID]
) -> Response[Board]:
    """The whole board; its ETag goes into If-Match of any change of it."""
    found = await get_board(services.db, access.tenant, session_id)
    return Response(found, headers={"etag": etag(found.session.version)})


@patch(
    "/brainstorms/{session_id:uuid}",
    responses=documented(403, 404, 409, 412, 413),
    operation_id="changeBrainstorm",
    **OPTIONS,
)
async def change(
    request: AnyRequest,
    data: Annotated[changes.SessionChange, examples.BRAINSTORM_CHANGE],
    access: GivenAccess,
    services: GivenServices,
    session_id: FromPath[UUID],
    if_match: IfMatch = None,
) -> Response[Changed]:
    """Change topic, description, framework, timer or (the owner) human_first."""
    seen = expected_version(if_match)

    async def work(transaction: Transaction) -> Answer:
        version = await changes.change_brainstorm(transaction, session_id, data, seen)
        return Answer(Changed(session_id, version), 200, {"etag": etag(version)})

    return await _write(request, services, access, work)


@delete(
    "/brainstorms/{session_id:uuid}",
    responses=documented(403, 404, 412),
    operation_id="deleteBrainstorm",
    **OPTIONS,
)
async def remove(
    access: GivenAccess,
    services: GivenServices,
    session_id: FromPath[UUID],
    if_match: IfMatch = None,
) -> None:
    """Delete a brainstorm with all that is on it; its owner alone may."""
    seen = expected_version(if_match)
    async with services.db.tenant_transaction(access.tenant) as transaction:
        await changes.delete_brainstorm(transaction, session_id, seen)
    services.relay.nudge()


@post(
    "/brainstorms/{session_id:uuid}/ideas",
    status_code=201,
    responses=documented(403, 404, 409, 413, 422),
    operation_id="addIdea",
    operation_class=Idempotent,
    **OPTIONS,
)
async def add_idea(
    request: AnyRequest,
    data: Annotated[changes.NewIdea, examples.IDEA],
    access: GivenAccess,
    services: GivenServices,
    session_id: FromPath[UUID],
) -> Response[Idea]:
    """Add an idea, behind the others or after one."""

    async def work(transaction: Transaction) -> Answer:
        (idea_id,) = await changes.add_ideas(transaction, session_id, data)
        idea = await changes.read_idea(transaction, session_id, idea_id)
        return Answer(idea, 201, {"etag": etag(idea.version)})

    return await _write(request, services, access, work)


@patch(
    "/brainstorms/{session_id:uuid}/ideas/{idea_id:uuid}",
    responses=documented(403, 404, 409, 412, 413),
    operation_id="changeIdea",
    **OPTIONS,
)
async def change_idea(
    request: AnyRequest,
    data: Annotated[changes.IdeaChange, examples.IDEA_CHANGE],
    access: GivenAccess,
    services: GivenServices,
    session_id: FromPath[UUID],
    idea_id: FromPath[UUID],
    if_match: IfMatch = None,
) -> Response[Idea]:
    """Change text, status, priority, tags or cluster, or move it after another one."""
    seen = expected_version(if_match)

    async def work(transaction: Transaction) -> Answer:
        await changes.change_idea(transaction, session_id, idea_id, data, seen)
        idea = await changes.read_idea(transaction, session_id, idea_id)
        return Answer(idea, 200, {"etag": etag(idea.version)})

    return await _write(request, services, access, work)


@delete(
    "/brainstorms/{session_id:uuid}/ideas/{idea_id:uuid}",
    responses=documented(403, 404, 412),
    operation_id="deleteIdea",
    **OPTIONS,
)
async def remove_idea(
    access: GivenAccess,
    services: GivenServices,
    session_id: FromPath[UUID],
    idea_id: FromPath[UUID],
    if_match: IfMatch = None,
) -> None:
    """Delete an idea; with If-Match, unless somebody changed it or voted for it since."""
    seen = expected_version(if_match)
    async with services.db.tenant_transaction(access.tenant) as transaction:
        await changes.delete_idea(transaction, session_id, idea_id, seen)
    services.relay.nudge()


@put(
    "/brainstorms/{session_id:uuid}/ideas/{idea_id:uuid}/vote",
    status_code=200,
    responses=documented(403, 404, 413),
    operation_id="vote",
    **OPTIONS,
)
async def give_vote(
    access: GivenAccess,
    services: GivenServices,
    session_id: FromPath[UUID],
    idea_id: FromPath[UUID],
) -> changes.Voted:
    """Give one's one vote for an idea; safe to repeat."""
    return await _vote(services, access, session_id, idea_id, wanted=True)


@delete(
    "/brainstorms/{session_id:uuid}/ideas/{idea_id:uuid}/vote",
    status_code=200,
    responses=documented(403, 404),
    operation_id="takeVoteBack",
    **OPTIONS,
)
async def take_vote(
    access: GivenAccess,
    services: GivenServices,
    session_id: FromPath[UUID],
    idea_id: FromPath[UUID],
) -> changes.Voted:
    """Take one's vote back; safe to repeat."""
    return await _vote(services, access, session_id, idea_id, wanted=False)


async def _vote(
    services: Services, access: Access, session_id: UUID, idea_id: UUID, *, wanted: bool
) -> changes.Voted:
    async with services.db.tenant_transaction(access.tenant) as transaction:
        voted = await changes.vote(transaction, session_id, idea_id, wanted)
    services.relay.nudge()
    return voted


@post(
    "/brainstorms/{session_id:uuid}/clusters",
    status_code=201,
    responses=documented(403, 404, 409, 413, 422),
    operation_id="addCluster",
    operation_class=Idempotent,
    **OPTIONS,
)
async def add_cluster(
    request: AnyRequest,
    data: Annotated[ClusterName, examples.CLUSTER],
    access: GivenAccess,
    services: GivenServices,
    session_id: FromPath[UUID],
) -> Response[Cluster]:
    """Make a cluster; ideas join it by their `cluster_id`."""

    async def work(transaction: Transaction) -> Answer:
        made = await changes.save_cluster(transaction, session_id, data.name)
        return Answer(made, 201, {"etag": etag(made.version)})

    return await _write(request, services, access, work)


@patch(
    "/brainstorms/{session_id:uuid}/clusters/{cluster_id:uuid}",
    responses=documented(403, 404, 412, 413),
    operation_id="renameCluster",
    **OPTIONS,
)
async def rename_cluster(
    request: AnyRequest,
    data: Annotated[ClusterName, examples.CLUSTER],
    access: GivenAccess,
    services: GivenServices,
    session_id: FromPath[UUID],
    cluster_id: FromPath[UUID],
    if_match: IfMatch = None,
) -> Response[Cluster]:
    """Rename a cluster."""
    seen = expected_version(if_match)

    async def work(transaction: Transaction) -> Answer:
        made = await changes.save_cluster(
            transaction, session_id, data.name, cluster_id=cluster_id, seen=seen
        )
        return Answer(made, 200, {"etag": etag(made.version)})

    return await _write(request, services, access, work)


@delete(
    "/brainstorms/{session_id:uuid}/clusters/{cluster_id:uuid}",
    responses=documented(403, 404),
    operation_id="deleteCluster",
    **OPTIONS,
)
async def remove_cluster(
    access: GivenAccess,
    services: GivenServices,
    session_id: FromPath[UUID],
    cluster_id: FromPath[UUID],
) -> None:
    """Delete a cluster; its ideas stay, in none."""
    async with services.db.tenant_transaction(access.tenant) as transaction:
        await changes.delete_cluster(transaction, session_id, cluster_id)
    services.relay.nudge()


def brainstorms_router() -> Router:
    """Everything below `/v1/brainstorms`."""
    return Router(
        "/v1",
        route_handlers=[
            brainstorms,
            start,
            board,
            change,
            remove,
            *people_routes(),
            add_idea,
            change_idea,
            remove_idea,
            give_vote,
            take_vote,
            add_cluster,
            rename_cluster,
            remove_cluster,
            *run_routes(),
        ],
        tags=["Brainstorms"],
    )
