"""Answers under the newest message of a conversation: proposed when asked, drafted by a click."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, Router, post
from litestar.params import FromPath

from tidings.base.errors import InputInvalid, RowMissing, StateConflict
from tidings.messages.channels import get_channel
from tidings.replies.answer import draft_answer, find_answers
from tidings.replies.smart import smart_replies
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.forms import to_uuid
from tidings.web.pages.inbox import conversation, frame
from tidings.web.pages.shell import Notice, go, page

_SCOPE = {"scope": "messages"}


@post("/inbox/{channel_id:uuid}/propose", opt=_SCOPE, status_code=200)
async def propose(
    request: AnyRequest, access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]
) -> Response[str]:
    """Ask the engine for two or three answers to a message; nothing is stored."""
    form = await request.form()
    message_id, thread = to_uuid(form.get("message_id")), _thread(form.get("thread"))
    shown = await get_channel(services.db, access.tenant, channel_id)
    answers = await find_answers(services.db, access.tenant, message_id)
    if answers is None or not shown.is_member:
        raise RowMissing("There is no such message in your channels.")
    if answers.approval_id is None and not answers.proposals:
        made = await smart_replies(services.db, services.gateway, access.tenant, message_id)
        answers = msgspec.structs.replace(answers, proposals=made.answers, engine=made.engine)
    if request.headers.get("hx-request"):
        context = {"answers": answers, "channel": shown, "thread": thread and {"id": thread}}
        return page(request, "inbox/_answers.html", context)
    whole = await frame(services, access, shown, "")
    await conversation(services, access, whole, thread)
    if whole["answers"] is not None and whole["answers"].message_id == message_id:
        whole["answers"] = answers  # else something newer came meanwhile
    return page(request, "inbox/show.html", whole)


@post("/inbox/{channel_id:uuid}/answer", opt=_SCOPE, status_code=303)
async def answer(
    request: AnyRequest, access: GivenAccess, services: GivenServices, channel_id: FromPath[UUID]
) -> Response[Any]:
    """Draft an answer as it was proposed or edited; it waits for approval."""
    form = await request.form()
    message_id, thread = to_uuid(form.get("message_id")), _thread(form.get("thread"))
    back = f"/inbox/{channel_id}?{f'thread={thread}' if thread else 'view=messages'}"
    # Browsers send CRLF whatever the text area held.
    content = str(form.get("content", "")).replace("\r\n", "\n").strip()
    try:
        async with services.db.tenant_transaction(access.tenant) as transaction:
            await draft_answer(transaction, channel_id, message_id, content)
    except (InputInvalid, StateConflict) as error:
        return go(back, Notice("error", _said(error)))
    return go(back, Notice("ok", "The answer is drafted. It leaves once it is approved."))


def _said(error: InputInvalid | StateConflict) -> str:
    problems = error.errors if isinstance(error, InputInvalid) else []
    said = ", ".join(f"{problem.field} {problem.message}" for problem in problems)
    return f"It was not drafted: {said}." if said else error.message


def _thread(text: Any) -> UUID | None:
    return to_uuid(text) if text else None


def answer_pages() -> Router:
    """What is posted from under a message."""
    return Router("/", route_handlers=[propose, answer])
