"""The approval queue: read, decide with a key, edit, and see what left."""

from datetime import datetime
from typing import Any, get_args
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery

from tidings.approvals.decisions import (
    Choice,
    Decision,
    cancel,
    decide,
    decide_one,
    mark_sent,
    open_by_hand,
    retry,
)
from tidings.approvals.draft import BY_HAND
from tidings.approvals.edit import EDITABLE, Edit, edit
from tidings.approvals.live import topic_of
from tidings.approvals.read import (
    Approval,
    Status,
    get_approval,
    read_queue,
)
from tidings.base.cursor import Page
from tidings.base.errors import InputInvalid, StateConflict, VersionStale
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.forms import field_errors, to_uuid, version_of
from tidings.web.pages.shell import Notice, go, local_path, page

PAGE = 25
_QUEUE = "/approvals"
_STATES = (
    ("pending", "To decide"),
    ("approved", "Approved"),
    ("opened", "Opened"),
    ("failed", "Failed"),
    ("sent", "Sent"),
    ("rejected", "Rejected"),
    ("cancelled", "Cancelled"),
    ("all", "All"),
)
_STEPS = {
    "cancel": (cancel, "It is cancelled."),
    "retry": (retry, "It is tried again."),
    "sent": (mark_sent, "Noted as sent."),
}
_WAITS = {
    "hours": "outside the sending hours",
    "daily_cap": "today’s cap is reached",
    "day_limit": "the channel’s limit of the day is reached",
    "hour_limit": "the channel’s limit of the hour is reached",
    "gap": "the gap after the message before it",
    "retry": "the last try failed",
}
_OUTCOMES = {
    "person": "Taken back by a person.",
    "expired": "Its time ran out.",
    "do_not_contact": "The recipient is on do-not-contact.",
    "answered": "Somebody answered meanwhile.",
    "changed": "The content was no longer what was approved.",
    "refused": "The other side refused it.",
    "temporary": "It failed five times.",
    "unknown": "Nobody knows whether it left: look before you retry.",
}


@get(_QUEUE)
async def queue(
    request: AnyRequest,
    access: GivenAccess,
    services: GivenServices,
    status: FromQuery[str] = "pending",
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """What waits for a decision, or has any other status; `all` shows everything."""
    wanted: Status | None = status if status in get_args(Status) else None  # type: ignore[assignment]
    found = await read_queue(services.db, access.tenant, Page(PAGE, cursor), status=wanted)
    here = f"{_QUEUE}?{urlencode({'status': wanted or 'all'})}"
    more = found.page.next_cursor
    context = {
        "approvals": [_line(one) for one in found.page.items],
        "status": wanted or "all",
        "states": [
            {"status": name, "text": text, "number": found.counts.get(name, 0)}
            for name, text in _STATES
        ],
        "here": f"{here}&cursor={cursor}" if cursor else here,
        "next_url": f"{here}&cursor={more}" if more else None,
        "first_url": here if cursor else None,
        "topics": ",".join(found.topics),
    }
    return page(request, "approvals/index.html", context)


@get("/approvals/{approval_id:uuid}")
async def show(
    request: AnyRequest, access: GivenAccess, services: GivenServices, approval_id: FromPath[UUID]
) -> Response[str]:
    """One approval: its evidence, its attempts, and a form to change it."""
    found = await get_approval(services.db, access.tenant, approval_id)
    return _show(request, found)


@post("/approvals/{approval_id:uuid}/edit", status_code=303)
async def change(
    request: AnyRequest, access: GivenAccess, services: GivenServices, approval_id: FromPath[UUID]
) -> Response[Any]:
    """Change it; it has to be approved anew."""
    form = await request.form()
    typed = {name: str(form.get(name, "")) for name in ("to", "subject", "content")}
    # Browsers send CRLF whatever the text area held.
    typed["content"] = typed["content"].replace("\r\n", "\n")
    version = version_of(form)
    try:
        async with services.db.tenant_transaction(access.tenant) as transaction:
            wanted = Edit(to=typed["to"], subject=typed["subject"], content=typed["content"])
            await edit(transaction, approval_id, wanted, version=version, kind=access.kind)
    except InputInvalid as error:
        found = await get_approval(services.db, access.tenant, approval_id)
        errors = field_errors(error)
        return _show(request, found, typed=typed, errors=errors)
    except (StateConflict, VersionStale) as error:
        return go(f"{_QUEUE}/{approval_id}", Notice("error", error.message))
    return go(f"{_QUEUE}/{approval_id}", Notice("ok", "Saved. It waits for approval."))


@post("/approvals/{approval_id:uuid}/decide", status_code=303)
async def settle(
    request: AnyRequest, access: GivenAccess, services: GivenServices, approval_id: FromPath[UUID]
) -> Response[Any]:
    """Approve it as it was shown, or reject it with a reason."""
    form = await request.form()
    choice = Choice(approval_id, version_of(form))
    rejects = form.get("decision") == "reject"
    reason = str(form.get("reason", "")).strip()
    back = local_path(str(form.get("next", _QUEUE)))
    try:
        async with services.db.tenant_transaction(access.tenant) as transaction:
            await decide_one(
                transaction,
                "reject" if rejects else "approve",
                choice,
                reason=reason,
                kind=access.kind,
            )
    except (StateConflict, VersionStale) as error:
        return go(back, Notice("error", error.message))
    return go(
        back, Notice("ok", "Rejected." if rejects else "Approved. It leaves within the policy.")
    )


@post("/approvals/{approval_id:uuid}/step", status_code=303)
async def step(
    request: AnyRequest, access: GivenAccess, services: GivenServices, approval_id: FromPath[UUID]
) -> Response[Any]:
    """Cancel, retry, open, or note as sent by hand."""
    form = await request.form()
    back = local_path(str(form.get("next", f"{_QUEUE}/{approval_id}")))
    action = str(form.get("action", ""))
    does, said = _STEPS.get(action, (None, ""))
    if does is None and action != "open":
        raise InputInvalid("action must be cancel, retry, open or sent.")
    stopped: str | None = None
    try:
        async with services.db.tenant_transaction(access.tenant) as transaction:
            if does is None:
                stopped = await open_by_hand(transaction, approval_id, kind=access.kind)
                said = "It is yours to send."
            else:
                await does(transaction, approval_id, kind=access.kind)
    except StateConflict as error:
        return go(back, Notice("error", error.message))
    if stopped is not None:
        return go(back, Notice("error", f"It is cancelled instead. {_OUTCOMES[stopped]}"))
    return go(back, Notice("ok", said))


@post("/approvals/batch", status_code=303)
async def decide_many(
    request: AnyRequest, access: GivenAccess, services: GivenServices
) -> Response[Any]:
    """Decide alike on all that are ticked, each as it was shown."""
    form = await request.form()
    choices = [_choice(str(one)) for one in form.getall("choice", [])]
    if not choices:
        return go(_QUEUE, Notice("error", "Tick what to decide on first."))
    rejects = form.get("decision") == "reject"
    reason = str(form.get("reason", "")).strip()
    decision: Decision = "reject" if rejects else "approve"
    async with services.db.tenant_transaction(access.tenant) as transaction:
        decided = await decide(transaction, decision, choices, reason=reason, kind=access.kind)
    left = [one.detail for one in decided if one.code is not None]
    done = f"{len(decided) - len(left)} {'rejected' if rejects else 'approved'}."
    if left:
        return go(_QUEUE, Notice("error", f"{done} {len(left)} left: {left[0]}"))
    return go(_QUEUE, Notice("ok", done))


def _show(
    request: AnyRequest,
    found: Approval,
    *,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> Response[str]:
    context = {
        "approval": _line(found),
        "topics": topic_of(found.channel_id),
        "form": typed or {"to": found.to, "subject": found.subject, "content": found.content},
        "errors": errors or {},
        "attempts": [
            {
                "number": one["attempt"],
                "at": datetime.fromisoformat(one["at"]),
                "outcome": one["outcome"],
                "detail": one["detail"],
            }
            for one in found.attempt_log
        ],
    }
    return page(request, "approvals/show.html", context, status=400 if errors else 200)


def _line(one: Approval) -> dict[str, Any]:
    by_hand = one.channel in BY_HAND
    return {
        "id": one.id,
        "type": one.type,
        "channel": one.channel,
        "to": one.to,
        "subject": one.subject,
        "content": one.content,
        "status": one.status,
        "version": one.version,
        "reason": one.reason,
        "quotes": [_quote(item) for item in one.evidence],
        "ai_score": one.ai_score,
        "created_at": one.created_at,
        "decided_by": one.reviewed_by_name
        or {"rule": "a rule", "policy": "the send policy"}.get(one.decided_by or "", ""),
        "reviewed_at": one.reviewed_at,
        "expires_at": one.expires_at if one.status == "pending" else None,
        "waits": _WAITS.get(one.waits_for or "", ""),
        "next_attempt_at": one.next_attempt_at if one.waits_for else None,
        "outcome": _OUTCOMES.get(one.outcome or "", ""),
        "problem": one.problem,
        "sent_at": one.sent_at,
        "is_automatic": one.is_automatic,
        "answered_url": one.message_id and f"/inbox/{one.channel_id}?message={one.message_id}",
        "is_unwanted": one.is_do_not_contact,
        "answers_elsewhere": one.answers_elsewhere,
        "may_decide": one.status == "pending",
        "may_edit": one.status in EDITABLE,
        "may_cancel": one.status in ("approved", "opened"),
        "may_retry": one.status == "failed" or one.waits_for == "retry",
        "may_open": by_hand and one.status == "approved",
        "may_mark": one.status == "opened",
    }


def _quote(item: Any) -> str:
    """What a draft rests on, in words: evidence is whatever its maker gave."""
    if isinstance(item, str):
        return item
    if isinstance(item, dict):
        for name in ("quote", "text"):
            if isinstance(item.get(name), str):
                return str(item[name])
    return msgspec.json.encode(item).decode()[:500]


def _choice(value: str) -> Choice:
    """`id:version`, as the tick boxes have it. Raises `InputInvalid`."""
    one, _, version = value.partition(":")
    return Choice(to_uuid(one), version_of({"version": version}))


def approval_pages() -> Router:
    """The queue and one approval."""
    return Router("/", route_handlers=[queue, show, change, settle, step, decide_many])
