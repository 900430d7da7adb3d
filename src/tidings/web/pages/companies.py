"""Companies, and the presentation page of one."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from tidings.base.cursor import Page
from tidings.base.errors import DomainInvalid, RowMissing, VersionStale
from tidings.engagement.companies import Company, company_states, find_company
from tidings.engagement.editions import latest_edition, save_edition, undo_edition
from tidings.engagement.export import to_markdown
from tidings.engagement.matching import load_speakers
from tidings.engagement.record import Record
from tidings.engagement.start import StartRequest, acting, get_record, start
from tidings.meetings.domains import normalise_domain
from tidings.meetings.read import list_companies
from tidings.queue.runs import Run, cancel_run, list_runs
from tidings.tenancy.access import Access
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.company_rows import company_rows
from tidings.web.pages.forms import read_form, to_uuid, whole_number
from tidings.web.pages.home import home_page
from tidings.web.pages.presentation_view import edited_lines, edition_view, present
from tidings.web.pages.shell import Notice, Undo, go, page
from tidings.web.services import Services

WAIT_SECONDS = 60


class _Shown(msgspec.Struct):
    """What the presentation page is made of."""

    company: Company
    run: Run | None
    record: Record | None


@get("/companies")
async def companies(
    request: AnyRequest,
    access: GivenAccess,
    services: GivenServices,
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """Companies that were met, the latest met first."""
    found = await list_companies(services.db, access.tenant, Page(50, cursor))
    domains = [row.domain for row in found.items]
    states = await company_states(services.db, access.tenant, domains)
    context = {
        "companies": company_rows(found.items, states),
        "total": None,
        "next_url": found.next_cursor and f"/companies?cursor={found.next_cursor}",
        "first_url": "/companies" if cursor else None,
    }
    return page(request, "companies/list.html", context)


@get("/companies/{domain:str}")
async def company(
    request: AnyRequest,
    access: GivenAccess,
    services: GivenServices,
    domain: FromPath[str],
    edit: FromQuery[str | None] = None,
    words: FromQuery[str | None] = None,
    run: FromQuery[UUID | None] = None,
) -> Response[str]:
    """The presentation page."""
    canonical = normalise_domain(domain)
    if canonical != domain:
        return go(f"/companies/{canonical}")
    shown = await _gather(services, access, domain, run)
    edits = bool(edit) and access.tenant.may_write
    return await _present(request, access, services, shown, edit=edits, words=words)


@post("/companies", status_code=303)
async def ask(request: AnyRequest, access: GivenAccess, services: GivenServices) -> Response[Any]:
    """The form on the home page: summarise the company behind a website."""
    form = await request.form()
    website = str(form.get("website", ""))
    try:
        domain = normalise_domain(website)
    except DomainInvalid as error:
        return await home_page(
            request, access, services, website, {"website": error.message}, status=400
        )
    await _start(services, access, domain)
    return go(f"/companies/{domain}")


@post("/companies/{domain:str}/runs", status_code=303)
async def summarise(
    access: GivenAccess, services: GivenServices, domain: FromPath[str]
) -> Response[Any]:
    """Summarise, or summarise again."""
    domain = normalise_domain(domain)
    await _start(services, access, domain)
    return go(f"/companies/{domain}")


@post("/companies/{domain:str}/runs/{run_id:uuid}/cancel", status_code=303)
async def cancel(
    access: GivenAccess, services: GivenServices, domain: FromPath[str], run_id: FromPath[UUID]
) -> Response[Any]:
    """Stop a run."""
    await cancel_run(services.db, access.tenant, run_id)
    services.relay.nudge()
    return go(f"/companies/{normalise_domain(domain)}", Notice("ok", "The run is being stopped."))


@post("/companies/{domain:str}/edition", status_code=303)
async def save(
    request: AnyRequest, access: GivenAccess, services: GivenServices, domain: FromPath[str]
) -> Response[Any]:
    """Save the organization's version of the lines."""
    domain = normalise_domain(domain)
    form = await read_form(request)
    run_id, seen = to_uuid(form.get("run_id")), whole_number(form.get("version"))
    record = await get_record(services.db, access.tenant, domain, run_id)
    if record is None:
        raise RowMissing("That summary has expired; go back and edit the present one.")
    edition = await latest_edition(services.db, access.tenant, domain)
    lines = edited_lines(record, edition, form)
    try:
        version = await save_edition(services.db, access.tenant, domain, seen, lines)
    except VersionStale:
        return await _conflict(request, access, services, domain, record, form)
    undo = Undo(f"/companies/{domain}/edition/undo", {"version": str(version)})
    return go(f"/companies/{domain}", Notice("ok", "Your version is saved.", undo))


@post("/companies/{domain:str}/edition/undo", status_code=303)
async def undo(
    request: AnyRequest, access: GivenAccess, services: GivenServices, domain: FromPath[str]
) -> Response[Any]:
    """Bring back what stood before the last save."""
    domain = normalise_domain(domain)
    form = await request.form()
    version = whole_number(form.get("version"))
    await undo_edition(services.db, access.tenant, domain, version)
    return go(f"/companies/{domain}", Notice("ok", "Undone."))


@get("/companies/{domain:str}/export")
async def export(
    access: GivenAccess,
    services: GivenServices,
    domain: FromPath[str],
    run_id: FromQuery[UUID],
    file_format: Annotated[str, QueryParameter(name="format")] = "markdown",
) -> Response[Any]:
    """A summary as a file."""
    domain = normalise_domain(domain)
    record = await get_record(services.db, access.tenant, domain, run_id)
    if record is None or record.summary is None:
        raise RowMissing("There is no complete summary of that run here.")
    if file_format == "json":
        body, kind, ending = msgspec.json.encode(record), "application/json", "json"
    else:
        body, kind, ending = to_markdown(record).encode(), "text/markdown", "md"
    headers = {"content-disposition": f'attachment; filename="{domain}.{ending}"'}
    return Response(body, media_type=kind, headers=headers)


async def _start(services: Services, access: Access, domain: str) -> None:
    async with services.db.tenant_transaction(acting(access.tenant)) as transaction:
        await start(transaction, services.settings, StartRequest(domain=domain))


async def _gather(services: Services, access: Access, domain: str, run_id: UUID | None) -> _Shown:
    # The run first: one that is seen ended has left its result to the reads that follow.
    runs = await list_runs(services.db, access.tenant, kind="engagement", subject=domain, limit=1)
    company = await find_company(services.db, access.tenant, domain)
    record = company.latest
    if run_id is not None:
        record = await get_record(services.db, access.tenant, domain, run_id)
        if record is None:
            raise RowMissing("There is no such summary here, or it has expired.")
    if record is not None and record.status != "complete":
        record = company.latest
    run = runs[0] if runs else None
    if run is not None and company.latest is not None and company.latest.run_id == run.id:
        run = msgspec.structs.replace(run, status="complete")  # it ended since it was read
    return _Shown(company, run, record)


async def _present(
    request: AnyRequest,
    access: Access,
    services: Services,
    shown: _Shown,
    *,
    edit: bool,
    words: str | None,
    form: Mapping[str, str] | None = None,
) -> Response[str]:
    company, record = shown.company, shown.record
    edition = await latest_edition(services.db, access.tenant, company.domain)
    applied = edition if words != "record" or edit else None
    summary = None
    if record is not None:
        speakers = await load_speakers(services.db, access.tenant, record)
        typed = _typed(form) if form is not None else None
        since = company.before(record.run_id)
        summary = present(record, applied, company.meetings, speakers, since=since, typed=typed)
    conflict = None
    if form is not None and edition is not None:
        conflict = {"saved_by": edition.saved_by, "saved_at": edition.saved_at}
    meetings = company.meetings
    context = {
        "company": {
            "domain": company.domain,
            "name": company.domain,
            "subdomains": company.subdomains,
            "meetings_count": company.meetings_count,
            "first_meeting_at": meetings[0].started_at if meetings else None,
            "last_meeting_at": meetings[-1].started_at if meetings else None,
        },
        "mode": "edit" if edit else "read",
        "run": shown.run,
        "wait_seconds": WAIT_SECONDS,
        "summary": summary,
        "edition": edition_view(edition),
        "words": "edition" if applied else "record",
        "conflict": conflict,
        "errors": {},
    }
    return page(request, "engagement/presentation.html", context, status=412 if conflict else 200)


async def _conflict(
    request: AnyRequest,
    access: Access,
    services: Services,
    domain: str,
    record: Record,
    form: Mapping[str, str],
) -> Response[str]:
    shown = await _gather(services, access, domain, record.run_id)
    return await _present(request, access, services, shown, edit=True, words=None, form=form)


def _typed(form: Mapping[str, str]) -> dict[str, str]:
    return {
        key.removeprefix("text."): text for key, text in form.items() if key.startswith("text.")
    }


def companies_router() -> Router:
    """Companies and presentations."""
    return Router(
        "/",
        route_handlers=[companies, company, ask, summarise, cancel, save, undo, export],
    )
