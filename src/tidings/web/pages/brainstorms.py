"""Brainstorms: the list, the board, its forms, the slides. Every form works without JavaScript."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from tidings.base import clock
from tidings.base.cursor import Page
from tidings.base.errors import (
    FieldProblem,
    InputInvalid,
    StateConflict,
    TidingsError,
    VersionStale,
)
from tidings.brainstorm import changes
from tidings.brainstorm.analytics import analyse
from tidings.brainstorm.asking import Ask, ask_engine, list_results
from tidings.brainstorm.asking import add_answer as put_answer
from tidings.brainstorm.board import Framework, Priority, Status, find_people, get_board
from tidings.brainstorm.board import list_brainstorms as read_list
from tidings.brainstorm.export import Format, export_board
from tidings.brainstorm.export import slides as make_slides
from tidings.brainstorm.operations import NAMES, Asked
from tidings.db.transaction import Transaction
from tidings.queue.runs import get_run
from tidings.tenancy.access import Access
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages import brainstorm_view as view
from tidings.web.pages.numbers import whole_number
from tidings.web.pages.shell import Notice, Undo, go, page
from tidings.web.services import Services

OPTIONS: dict[str, Any] = {"opt": {"scope": "brainstorm"}}
PAGE = 25
SHOWN_RESULTS = 5

Form = dict[str, str]


@get("/brainstorms", **OPTIONS)
async def brainstorms(
    request: AnyRequest,
    access: GivenAccess,
    services: GivenServices,
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """One's own brainstorms and those shared with one."""
    return await _list(request, access, services, cursor)


@post("/brainstorms", status_code=303, **OPTIONS)
async def start(request: AnyRequest, access: GivenAccess, services: GivenServices) -> Response[Any]:
    """Start one."""
    form = await _form(request)
    try:
        new = changes.NewBrainstorm(
            topic=form.get("topic", ""),
            framework=cast("Framework", _one_of(form, "framework", view.FRAMEWORKS)),
            human_first=whole_number(form.get("human_first") or 0, "human_first", digits=2),
        )
        async with services.db.tenant_transaction(access.tenant) as transaction:
            session_id, _ = await changes.start_brainstorm(transaction, new)
    except InputInvalid as error:
        errors = {problem.field: problem.message for problem in error.errors}
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


def _form_route(
    path: str, act: Callable[[Transaction, UUID, Form], Awaitable[str | Notice | None]]
) -> Any:
    """A form on the board: its change in one transaction, then back to the board."""

    @post(f"/brainstorms/{{session_id:uuid}}{path}", status_code=303, **OPTIONS)
    async def send(
        request: AnyRequest,
        access: GivenAccess,
        services: GivenServices,
        session_id: FromPath[UUID],
    ) -> Response[Any]:
        """Change the board, or show it with what is wrong and what was typed."""
        form = await _form(request)
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


async def _add(transaction: Transaction, session_id: UUID, form: Form) -> None:
    lines = [line for line in form.get("text", "").splitlines() if line.strip()]
    cluster = form.get("cluster_id")
    new = changes.NewIdea(text=form.get("text", ""), cluster_id=_uuid(cluster) if cluster else None)
    await changes.add_ideas(transaction, session_id, new, lines)


async def _idea(transaction: Transaction, session_id: UUID, form: Form) -> Notice | None:
    idea_id, do = _uuid(form.get("idea_id")), form.get("do", "save")
    seen = whole_number(form["version"], digits=18) if form.get("version") else None
    if do in ("vote", "unvote"):
        await changes.vote(transaction, session_id, idea_id, do == "vote")
        return None
    if do == "delete":
        await changes.delete_idea(transaction, session_id, idea_id, seen)
        return _undo(session_id, idea_id, "The idea is deleted.", form)
    await changes.change_idea(transaction, session_id, idea_id, _change(form, do), seen)
    return None


def _change(form: Form, do: str) -> changes.IdeaChange:
    fields: dict[str, Any] = {}
    if do == "move":
        fields["after"] = _uuid(form["after"]) if form.get("after") else None
        if "column" in form and form.get("by") == "status":
            fields["status"] = cast("Status", _one_of({"s": form["column"]}, "s", view.STATUSES))
        elif "column" in form:
            fields["cluster_id"] = _uuid(form["column"]) if form["column"] else None
        return changes.IdeaChange(**fields)
    # Only what is another than it was when the form was shown: the rest may be others' by now.
    for name in ("text", "status", "priority", "tags", "cluster_id"):
        if name in form and form[name] != form.get(f"was_{name}"):
            fields[name] = form[name]
    if "status" in fields:
        fields["status"] = cast("Status", _one_of(form, "status", view.STATUSES))
    if "priority" in fields:
        fields["priority"] = cast("Priority", _one_of(form, "priority", view.PRIORITIES))
    if "tags" in fields:
        fields["tags"] = [tag.strip() for tag in form["tags"].split(",") if tag.strip()]
    if "cluster_id" in fields:
        fields["cluster_id"] = _uuid(form["cluster_id"]) if form["cluster_id"] else None
    return changes.IdeaChange(**fields)


def _undo(session_id: UUID, subject_id: UUID, said: str, form: Form) -> Notice:
    fields = {"subject_id": str(subject_id), "by": form.get("by", "cluster")}
    return Notice("ok", said, Undo(f"/brainstorms/{session_id}/restore", fields))


async def _restore(transaction: Transaction, session_id: UUID, form: Form) -> str:
    kind = await changes.restore(transaction, session_id, _uuid(form.get("subject_id")))
    return f"The {kind} is back."


async def _cluster(transaction: Transaction, session_id: UUID, form: Form) -> Notice | None:
    cluster_id = _uuid(form["cluster_id"]) if form.get("cluster_id") else None
    if cluster_id is not None and form.get("do") == "delete":
        await changes.delete_cluster(transaction, session_id, cluster_id)
        return _undo(session_id, cluster_id, "The cluster is removed; its ideas stay.", form)
    seen = whole_number(form["version"], digits=18) if cluster_id and form.get("version") else None
    name = form.get("name", "")
    await changes.save_cluster(transaction, session_id, name, cluster_id=cluster_id, seen=seen)
    return None


async def _settings(transaction: Transaction, session_id: UUID, form: Form) -> str | None:
    fields: dict[str, Any] = {
        name: form[name]
        for name in ("topic", "description")
        if name in form and form[name] != form.get(f"was_{name}")
    }
    if form.get("framework", form.get("was_framework")) != form.get("was_framework"):
        fields["framework"] = cast("Framework", _one_of(form, "framework", view.FRAMEWORKS))
    if form.get("human_first", form.get("was_human_first")) != form.get("was_human_first"):
        fields["human_first"] = whole_number(form["human_first"], "human_first", digits=2)
    if form.get("minutes"):
        minutes = whole_number(form["minutes"], "minutes", digits=4)
        ends = clock.now() + min(timedelta(minutes=minutes), changes.LONGEST_TIMER)
        fields["timer_ends_at"] = ends if minutes else None
    seen = whole_number(form["version"], digits=18) if form.get("version") else None
    change = changes.SessionChange(**fields)
    await changes.change_brainstorm(transaction, session_id, change, seen)
    return "Saved." if "topic" in form else None


async def _people(transaction: Transaction, session_id: UUID, form: Form) -> str:
    user_id = _uuid(form.get("user_id"))
    if form.get("do") == "remove":
        await changes.unshare_brainstorm(transaction, session_id, user_id)
        return "They do not see it any more."
    role = "editor" if form.get("role") == "editor" else "viewer"
    await changes.share_brainstorm(transaction, session_id, user_id, role)
    return "Shared."


async def _delete(transaction: Transaction, session_id: UUID, form: Form) -> str:
    await changes.delete_brainstorm(transaction, session_id)
    return "The brainstorm is deleted."


@post("/brainstorms/{session_id:uuid}/ask", status_code=303, **OPTIONS)
async def ask(
    request: AnyRequest, access: GivenAccess, services: GivenServices, session_id: FromPath[UUID]
) -> Response[Any]:
    """Ask an engine; the answer comes to the board."""
    data = await request.form()
    form = await _form(request)
    by = "status" if form.get("by") == "status" else "cluster"
    try:
        operation = cast("Asked", _one_of(form, "operation", [(name, name) for name in NAMES]))
        wanted = Ask(
            technique=form.get("technique") or None,
            idea_ids=[_uuid(str(one)) for one in data.getall("idea_ids", [])],
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
    form = await _form(request)
    by = "status" if form.get("by") == "status" else "cluster"
    try:
        picked = [whole_number(form["item"], digits=3)] if form.get("item") else None
        result_id = _uuid(form.get("result_id"))
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


async def _form(request: AnyRequest) -> Form:
    return {key: str(value) for key, value in (await request.form()).items()}


def _one_of(form: Form, field: str, known: list[tuple[str, str]]) -> str:
    value = form.get(field, "")
    if value not in {key for key, _ in known}:
        problem = FieldProblem(field, "is none of the choices")
        raise InputInvalid(f"{field} {problem.message}.", errors=[problem])
    return value


def _uuid(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError:
        raise InputInvalid("The form has expired; reload the page and send it again.") from None


def brainstorm_pages() -> Router:
    """The list, the board and its forms."""
    forms = {
        "/ideas": _add,
        "/idea": _idea,
        "/clusters": _cluster,
        "/settings": _settings,
        "/people": _people,
        "/restore": _restore,
        "/delete": _delete,
    }
    handlers = [_form_route(path, cast("Any", act)) for path, act in forms.items()]
    pages = [brainstorms, start, show, slides, export, ask, add_answer]
    return Router("/", route_handlers=[*pages, *handlers])
