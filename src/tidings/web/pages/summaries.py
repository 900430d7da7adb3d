"""Summaries: today's digest, what is new, one summary with its sources."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery

from tidings.base import clock
from tidings.base.cursor import Page
from tidings.base.errors import FieldProblem, InputInvalid, RowMissing
from tidings.base.zones import zone_of
from tidings.queue.runs import cancel_run, get_run
from tidings.summaries.ask import AskRequest
from tidings.summaries.export import to_markdown
from tidings.summaries.read import get_summary, overview
from tidings.summaries.schedule import DigestSchedule, set_schedule
from tidings.summaries.start import KIND, acting, ask, start
from tidings.tenancy.access import Access
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.forms import read_form
from tidings.web.pages.shell import Notice, go, page
from tidings.web.pages.summary_view import present
from tidings.web.services import Services

SHOWN = 25
AGO = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
HOURS = tuple(map(str, range(24)))
_FIELDS = ("type", "reference", "since", "at", "date", "timezone", "hour")


@get("/summaries")
async def summaries(
    request: AnyRequest,
    access: GivenAccess,
    services: GivenServices,
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """The digest, what is new, and the summaries so far."""
    return await _index(request, access, services, cursor=cursor)


@post("/summaries", status_code=303)
async def make(request: AnyRequest, access: GivenAccess, services: GivenServices) -> Response[Any]:
    """Any of the page's forms: to the summary when it is cached, else to the run that makes it."""
    form = await read_form(request)
    try:
        asked = await ask(services.db, services.gateway, access.tenant, _request(form))
    except InputInvalid as error:
        problems = {problem.field: error.message for problem in error.errors}
        return await _index(request, access, services, form=form, problems=problems)
    if asked.summary is not None:
        return go(f"/summaries/{asked.summary.id}")
    async with services.db.tenant_transaction(acting(access.tenant)) as transaction:
        run = await start(transaction, asked)
    services.relay.nudge()
    return go(f"/summaries/runs/{run.run_id}")


@post("/summaries/schedule", opt={"own": True}, status_code=303)
async def change_schedule(
    request: AnyRequest, access: GivenAccess, services: GivenServices
) -> Response[Any]:
    """When one's digest is made by itself."""
    form = await read_form(request)
    hour, zone = form.get("hour", ""), form.get("timezone", "").strip()
    try:
        schedule = DigestSchedule(_hour(hour), zone or "UTC")
        await set_schedule(services.db, access.tenant, schedule)
    except InputInvalid as error:
        problems = {problem.field: error.message for problem in error.errors}
        form["type"] = "schedule"
        return await _index(request, access, services, form=form, problems=problems)
    said = (
        f"Your digest is made each day from {int(hour):02}:00." if hour else "No digest by itself."
    )
    return go("/summaries", Notice("ok", said))


@get("/summaries/runs/{summary_run:uuid}")
async def progress(
    request: AnyRequest, access: GivenAccess, services: GivenServices, summary_run: FromPath[UUID]
) -> Response[Any]:
    """How a summary is coming on; to the summary once it is there."""
    run = await get_run(services.db, access.tenant, summary_run)
    if run.kind != KIND:
        raise RowMissing
    if run.status == "complete":
        return go(f"/summaries/{run.result['summary_id']}")
    return page(request, "summaries/run.html", {"run": run})


@post("/summaries/runs/{summary_run:uuid}/cancel", status_code=303)
async def cancel(
    access: GivenAccess, services: GivenServices, summary_run: FromPath[UUID]
) -> Response[Any]:
    """Stop a run."""
    await cancel_run(services.db, access.tenant, summary_run)
    services.relay.nudge()
    return go("/summaries", Notice("ok", "The run is being stopped."))


@get("/summaries/{summary_id:uuid}")
async def summary(
    request: AnyRequest, access: GivenAccess, services: GivenServices, summary_id: FromPath[UUID]
) -> Response[str]:
    """One summary with its sources."""
    found = await get_summary(services.db, access.tenant, summary_id)
    return page(request, "summaries/show.html", {"summary": present(found)})


@get("/summaries/{summary_id:uuid}/export")
async def export(
    access: GivenAccess, services: GivenServices, summary_id: FromPath[UUID]
) -> Response[Any]:
    """One summary as a Markdown file."""
    found = await get_summary(services.db, access.tenant, summary_id)
    headers = {"content-disposition": f'attachment; filename="summary-{found.id}.md"'}
    return Response(to_markdown(found).encode(), media_type="text/markdown", headers=headers)


async def _index(
    request: AnyRequest,
    access: Access,
    services: Services,
    *,
    cursor: str | None = None,
    form: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> Response[str]:
    shown = await overview(services.db, access.tenant, Page(SHOWN, cursor))
    digest = shown.digest
    more = shown.summaries.next_cursor
    context = {
        "digest": present(digest) if digest and _is_fresh(digest.local_date) else None,
        "channels": shown.channels,
        "schedule": shown.schedule,
        "unread": sum(channel.unread for channel in shown.channels),
        "summaries": [
            {
                "id": one.id,
                "title": one.title,
                "type": one.type,
                "text": one.summary_text,
                "message_count": one.message_count,
                "generated_at": one.generated_at,
            }
            for one in shown.summaries.items
        ],
        "form": {name: (form or {}).get(name, "") for name in _FIELDS},
        "errors": dict(problems or {}),
        "next_url": more and f"/summaries?cursor={more}",
        "first_url": "/summaries" if cursor else None,
    }
    return page(request, "summaries/index.html", context, status=400 if problems else 200)


def _is_fresh(day: date | None) -> bool:
    """Whether it may be somebody's today, or was a moment ago."""
    return day is not None and day >= clock.now().date() - timedelta(days=1)


def _request(form: Mapping[str, str]) -> AskRequest:
    """What a form asks for. Raises `InputInvalid`."""
    given: dict[str, Any] = {
        name: form[name] for name in ("type", "reference") if form.get(name, "").strip()
    }
    if given.get("type") == "daily_digest":
        given |= {name: form[name] for name in ("date", "timezone") if form.get(name, "").strip()}
    elif (since := _since(form)) is not None:
        given["since"] = since
    try:
        return msgspec.convert(given, AskRequest, strict=False)
    except msgspec.ValidationError as error:
        field = next((name for name in _FIELDS if f"$.{name}" in str(error)), "type")
        sentence = f"{field} is not valid."
        raise InputInvalid(sentence, errors=[FieldProblem(field, sentence)]) from None


def _hour(text: str) -> int | None:
    """The hour that the form says; none when the digest is not wanted."""
    if text and text not in HOURS:
        sentence = "Choose one of the hours."
        raise InputInvalid(sentence, errors=[FieldProblem("hour", sentence)])
    return int(text) if text else None


def _since(form: Mapping[str, str]) -> datetime | None:
    """The time that the picker says: so long ago, or at a time of the reader's own zone."""
    choice = form.get("since", "")
    if choice in AGO:
        # To the minute: who asks twice within it gets the same answer.
        return (clock.now() - AGO[choice]).replace(second=0, microsecond=0)
    if choice != "at":
        return None
    try:
        at = datetime.fromisoformat(form.get("at", ""))
    except ValueError:
        sentence = "Choose a day and a time."
        raise InputInvalid(sentence, errors=[FieldProblem("at", sentence)]) from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone_of(form.get("timezone") or "UTC"))
    return at.astimezone(UTC)


def summary_pages() -> Router:
    """Everything below `/summaries`."""
    handlers = [summaries, make, change_schedule, progress, cancel, summary, export]
    return Router("/", route_handlers=handlers)
