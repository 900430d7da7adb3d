"""Brainstorms: the list, the board, its forms, the slides. Every form works without JavaScript."""

from typing import Annotated, Any, Literal, cast
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from tidings.base import clock
from tidings.base.cursor import Page
from tidings.base.errors import (
    InputInvalid,
    StateConflict,
    TidingsError,
    VersionStale,
)
from tidings.brainstorm import changes
from tidings.brainstorm.analytics import analyse
from tidings.brainstorm.asking import Ask, ask_engine, list_results
from tidings.brainstorm.asking import add_answer as put_answer
from tidings.brainstorm.board import Framework, find_people, get_board
from tidings.brainstorm.board import list_brainstorms as read_list
from tidings.brainstorm.conversation import Conversation
from tidings.brainstorm.export import Format, export_board
from tidings.brainstorm.export import slides as make_slides
from tidings.brainstorm.operations import NAMES, Asked
from tidings.queue.runs import get_run
from tidings.tenancy.access import Access
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages import brainstorm_view as view
from tidings.web.pages.brainstorm_forms import FORMS, Act, one_of
from tidings.web.pages.forms import Form, field_errors, read_form, to_uuid, whole_number
from tidings.web.pages.shell import Notice, go, page
from tidings.web.services import Services

OPTIONS: dict[str, Any] = {"opt": {"scope": "brainstorm"}}
PAGE = 25
SHOWN_RESULTS = 5


@get("/brainstorms", **OPTIONS)
async def brainstorms(
    request: AnyRequest,
    access: GivenAccess,
    services: GivenServices,
    cursor: FromQuery[str | None] = None,
    thread: FromQuery[UUID | None] = None,
) -> Response[str]:
    """One's own brainstorms and those shared with one; with `thread`, to start one on it."""
    typed = {"thread_id": str(thread)} if thread else None
    return await _list(request, access, services, cursor, typed)


@post("/brainstorms", status_code=303, **OPTIONS)
async def start(request: AnyRequest, access: GivenAccess, services: GivenServices) -> Response[Any]:
    """Start one."""
    form = await read_form(request)
    thread = form.get("thread_id")
    try:
        new = changes.NewBrainstorm(
            topic=form.get("topic", "").strip() or (None if thread else ""),
            conversation=Conversation(thread_id=to_uuid(thread)) if thread else None,
            framework=cast("Framework", one_of(form, "framework", view.FRAMEWORKS)),
            human_first=whole_number(form.get("human_first") or 0, "human_first", digits=2),
        )
        async with services.db.tenant_transaction(access.tenant) as transaction:
            session_id, _ = await changes.start_brainstorm(transaction, new)
    except InputInvalid as error:
        errors = field_errors(error)
        errors = errors or {"topic": error.message}
        return await _list(request, access, services, None, form, errors)
    services.relay.nudge()
    return go(f"/brainstorms/{session_id}")


@get("/brainstorms/{session_id:uuid}", **OPTIONS)
async def show(
    request: AnyRequest,
    access: GivenAccess,
    services: GivenServices,
    session_id: FromPath[UUID],
    by: FromQuery[Literal["cluster", "status"]] = "cluster",
    run: FromQuery[UUID | None] = None,
) -> Response[str]:
    """The board."""
    return await _show(request, access, services, session_id, by=by, run_id=run)


@get("/brainstorms/{session_id:uuid}/slides", **OPTIONS)
async def slides(
    request: AnyRequest, access: GivenAccess, services: GivenServices, session_id: FromPath[UUID]
) -> Response[str]:
    """The board as slides, to show or to print."""
    board = await get_board(services.db, access.tenant, session_id)
    context = {
        "session": view.session_view(board),
        "people": [person.name for person in board.people],
        "numbers": analyse(board, clock.now()),
        "slides": [
            {
                "title": title,
                "ideas": [
                    {"text": i.text, "votes": i.votes, "author": i.author, "status": i.status}
                    for i in ideas
                ],
            }
            for title, ideas in make_slides(board)
        ],
    }
    return page(request, "brainstorms/slides.html", context)


@get("/brainstorms/{session_id:uuid}/export", **OPTIONS)
async def export(
    access: GivenAccess,
    services: GivenServices,
    session_id: FromPath[UUID],
    file_format: Annotated[Format, QueryParameter(name="format")] = "markdown",
) -> Response[bytes]:
    """The board as a file."""
    file = export_board(await get_board(services.db, access.tenant, session_id), file_format)
    headers = {"content-disposition": f'attachment; filename="{file.name}"'}
    return Response(file.body, media_type=file.media_type, headers=headers)


def _form_route(path: str, act: Act) -> Any:
    """A form on the board: its change in one transaction, then back to the board."""

    @post(f"/brainstorms/{{session_id:uuid}}{path}", status_code=303, **OPTIONS)
    async def send(
        request: AnyRequest,
        access: GivenAccess,
        services: GivenServices,
        session_id: FromPath[UUID],
    ) -> Response[Any]:
        """Change the board, or show it with what is wrong and what was typed."""
        form = await read_form(request)
        by = "status" if form.get("by") == "status" else "cluster"
        try:
            async with services.db.tenant_transaction(access.tenant) as transaction:
                said = await act(transaction, session_id, form)
        except (InputInvalid, StateConflict, VersionStale) as error:
            return await _show(
                request, access, services, session_id, by=by, error=error, typed=form
            )
        services.relay.nudge()
        at = "/brainstorms" if path == "/delete" else f"/brainstorms/{session_id}?by={by}"
        return go(at, Notice("ok", said) if isinstance(said, str) else said)

    return send


@post("/brainstorms/{session_id:uuid}/ask", status_code=303, **OPTIONS)
async def ask(
    request: AnyRequest, access: GivenAccess, services: GivenServices, session_id: FromPath[UUID]
) -> Response[Any]:
    """Ask an engine; the answer comes to the board."""
    data = await request.form()
    form = await read_form(request)
    by = "status" if form.get("by") == "status" else "cluster"
    try:
        operation = cast("Asked", one_of(form, "operation", [(name, name) for name in NAMES]))
        wanted = Ask(
            technique=form.get("technique") or None,
            idea_ids=[to_uuid(str(one)) for one in data.getall("idea_ids", [])],
            fresh=operation == "generate",
            add=False,  # people choose what goes on the board
        )
        found = await ask_engine(
            services.db, services.gateway, access.tenant, session_id, operation, wanted
        )
    except TidingsError as error:
        if error.code in ("not_found", "role_forbidden"):
            raise
        return await _show(request, access, services, session_id, by=by, error=error, typed=form)
    services.relay.nudge()
    more = f"&run={found.run_id}" if found.run_id else ""
    return go(f"/brainstorms/{session_id}?by={by}{more}#ai")


@post("/brainstorms/{session_id:uuid}/answer", status_code=303, **OPTIONS)
async def add_answer(
    request: AnyRequest, access: GivenAccess, services: GivenServices, session_id: FromPath[UUID]
) -> Response[Any]:
    """Put a suggestion of an answer on the board, or all of them."""
    form = await read_form(request)
    by = "status" if form.get("by") == "status" else "cluster"
    try:
        picked = [whole_number(form["item"], digits=3)] if form.get("item") else None
        result_id = to_uuid(form.get("result_id"))
        await put_answer(services.db, access.tenant, session_id, result_id, picked)
    except InputInvalid as error:
        return await _show(request, access, services, session_id, by=by, error=error)
    services.relay.nudge()
    return go(f"/brainstorms/{session_id}?by={by}#ai")


async def _list(
    request: AnyRequest,
    access: Access,
    services: Services,
    cursor: str | None,
    typed: Form | None = None,
    errors: dict[str, str] | None = None,
) -> Response[str]:
    found = await read_list(services.db, access.tenant, Page(PAGE, cursor))
    names = dict(view.FRAMEWORKS)
    context = {
        "brainstorms": [
            {
                "id": one.id,
                "topic": one.topic,
                "framework": names[one.framework],
                "role": one.role,
                "ideas": one.ideas_count,
                "at": one.updated_at,
            }
            for one in found.items
        ],
        "frameworks": view.FRAMEWORKS,
        "typed": {
            "topic": (typed or {}).get("topic", ""),
            "thread_id": (typed or {}).get("thread_id", ""),
            "framework": (typed or {}).get("framework", "free_form"),
            "human_first": (typed or {}).get("human_first", "0"),
        },
        "errors": errors or {},
        "next_url": found.next_cursor and f"/brainstorms?cursor={found.next_cursor}",
        "first_url": "/brainstorms" if cursor else None,
    }
    return page(request, "brainstorms/list.html", context, status=400 if errors else 200)


async def _show(
    request: AnyRequest,
    access: Access,
    services: Services,
    session_id: UUID,
    *,
    by: str,
    run_id: UUID | None = None,
    error: TidingsError | None = None,
    typed: Form | None = None,
) -> Response[str]:
    board = await get_board(services.db, access.tenant, session_id)
    results = await list_results(services.db, access.tenant, session_id, limit=SHOWN_RESULTS)
    run = await get_run(services.db, access.tenant, run_id) if run_id else None
    is_owner = board.session.role == "owner"
    people = await find_people(services.db, access.tenant, session_id) if is_owner else []
    context = {
        "session": view.session_view(board),
        "may_edit": board.session.may_edit and access.tenant.may_write,
        "is_owner": is_owner and access.tenant.may_write,
        "by": by,
        "columns": view.columns(board, by),
        "clusters": [("", "None"), *((str(one.id), one.name) for one in board.clusters)],
        "statuses": view.STATUSES,
        "priorities": view.PRIORITIES,
        "frameworks": view.FRAMEWORKS,
        "operations": view.OPERATIONS,
        "techniques": view.techniques(board.session.framework),
        "ideas": [(str(idea.id), idea.text) for idea in board.ideas],
        "people": board.people,
        "members": [(str(one["user_id"]), one["name"]) for one in people],
        "me": access.tenant.user_id,
        "now": clock.now(),
        "context": board.context,
        "numbers": analyse(board, clock.now()),
        "results": view.result_views(board, results),
        "run": run and {"id": run.id, "status": run.status, "error": run.error},
        "problem": error and error.message,
        "typed": (typed or {}).get("text", ""),
    }
    status = 200 if error is None else (412 if isinstance(error, VersionStale) else 400)
    return page(request, "brainstorms/board.html", context, status=status)


def brainstorm_pages() -> Router:
    """The list, the board and its forms."""
    handlers = [_form_route(path, act) for path, act in FORMS.items()]
    pages = [brainstorms, start, show, slides, export, ask, add_answer]
    return Router("/", route_handlers=[*pages, *handlers])
