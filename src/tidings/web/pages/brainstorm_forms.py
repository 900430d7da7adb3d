"""The forms on a board: what each changes, and what the page then says."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from tidings.base import clock
from tidings.base.errors import InputInvalid
from tidings.brainstorm import changes
from tidings.brainstorm.board import Framework, Priority, Status
from tidings.db.transaction import Transaction
from tidings.web.pages import brainstorm_view as view
from tidings.web.pages.forms import Form, to_uuid, version_of, whole_number
from tidings.web.pages.shell import Notice, Undo

Act = Callable[[Transaction, UUID, Form], Awaitable[str | Notice | None]]


async def _add(transaction: Transaction, session_id: UUID, form: Form) -> None:
    lines = [line for line in form.get("text", "").splitlines() if line.strip()]
    cluster = form.get("cluster_id")
    new = changes.NewIdea(
        text=form.get("text", ""), cluster_id=to_uuid(cluster) if cluster else None
    )
    await changes.add_ideas(transaction, session_id, new, lines)


async def _idea(transaction: Transaction, session_id: UUID, form: Form) -> Notice | None:
    idea_id, do = to_uuid(form.get("idea_id")), form.get("do", "save")
    seen = version_of(form)
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
        fields["after"] = to_uuid(form["after"]) if form.get("after") else None
        if "column" in form and form.get("by") == "status":
            fields["status"] = cast("Status", one_of({"s": form["column"]}, "s", view.STATUSES))
        elif "column" in form:
            fields["cluster_id"] = to_uuid(form["column"]) if form["column"] else None
        return changes.IdeaChange(**fields)
    # Only what is another than it was when the form was shown: the rest may be others' by now.
    for name in ("text", "status", "priority", "tags", "cluster_id"):
        if name in form and form[name] != form.get(f"was_{name}"):
            fields[name] = form[name]
    if "status" in fields:
        fields["status"] = cast("Status", one_of(form, "status", view.STATUSES))
    if "priority" in fields:
        fields["priority"] = cast("Priority", one_of(form, "priority", view.PRIORITIES))
    if "tags" in fields:
        fields["tags"] = [tag.strip() for tag in form["tags"].split(",") if tag.strip()]
    if "cluster_id" in fields:
        fields["cluster_id"] = to_uuid(form["cluster_id"]) if form["cluster_id"] else None
    return changes.IdeaChange(**fields)


def _undo(session_id: UUID, subject_id: UUID, said: str, form: Form) -> Notice:
    fields = {"subject_id": str(subject_id), "by": form.get("by", "cluster")}
    return Notice("ok", said, Undo(f"/brainstorms/{session_id}/restore", fields))


async def _restore(transaction: Transaction, session_id: UUID, form: Form) -> str:
    kind = await changes.restore(transaction, session_id, to_uuid(form.get("subject_id")))
    return f"The {kind} is back."


async def _cluster(transaction: Transaction, session_id: UUID, form: Form) -> Notice | None:
    cluster_id = to_uuid(form["cluster_id"]) if form.get("cluster_id") else None
    if cluster_id is not None and form.get("do") == "delete":
        await changes.delete_cluster(transaction, session_id, cluster_id)
        return _undo(session_id, cluster_id, "The cluster is removed; its ideas stay.", form)
    seen = version_of(form) if cluster_id else None
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
        fields["framework"] = cast("Framework", one_of(form, "framework", view.FRAMEWORKS))
    if form.get("human_first", form.get("was_human_first")) != form.get("was_human_first"):
        fields["human_first"] = whole_number(form["human_first"], "human_first", digits=2)
    if form.get("minutes"):
        minutes = whole_number(form["minutes"], "minutes", digits=4)
        ends = clock.now() + min(timedelta(minutes=minutes), changes.LONGEST_TIMER)
        fields["timer_ends_at"] = ends if minutes else None
    seen = version_of(form)
    change = changes.SessionChange(**fields)
    await changes.change_brainstorm(transaction, session_id, change, seen)
    return "Saved." if "topic" in form else None


async def _people(transaction: Transaction, session_id: UUID, form: Form) -> str:
    user_id = to_uuid(form.get("user_id"))
    if form.get("do") == "remove":
        await changes.unshare_brainstorm(transaction, session_id, user_id)
        return "They do not see it any more."
    role = "editor" if form.get("role") == "editor" else "viewer"
    await changes.share_brainstorm(transaction, session_id, user_id, role)
    return "Shared."


async def _delete(transaction: Transaction, session_id: UUID, form: Form) -> str:
    await changes.delete_brainstorm(transaction, session_id)
    return "The brainstorm is deleted."


def one_of(form: Form, field: str, known: list[tuple[str, str]]) -> str:
    """A field that must be one of the choices. Raises `InputInvalid`."""
    value = form.get(field, "")
    if value not in {key for key, _ in known}:
        raise InputInvalid.of(field, "is none of the choices")
    return value


FORMS: Mapping[str, Act] = {
    "/ideas": _add,
    "/idea": _idea,
    "/clusters": _cluster,
    "/settings": _settings,
    "/people": _people,
    "/restore": _restore,
    "/delete": _delete,
}
