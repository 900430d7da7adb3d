"""The home page: ask for a company, see what is going on."""

from typing import Any

from litestar import Response, get

from tidings.approvals.read import add_waiting
from tidings.engagement.companies import add_latest_states
from tidings.meetings.read import add_companies, add_stored
from tidings.messages.channels import add_unread
from tidings.queue.runs import Run, add_runs
from tidings.tenancy.access import Access
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.company_rows import company_rows
from tidings.web.pages.shell import page
from tidings.web.services import Services

SHOWN = 8


@get("/")
async def home(request: AnyRequest, access: GivenAccess, services: GivenServices) -> Response[str]:
    """The home page."""
    return await home_page(request, access, services)


async def home_page(
    request: AnyRequest,
    access: Access,
    services: Services,
    website: str = "",
    errors: dict[str, str] | None = None,
    *,
    status: int = 200,
) -> Response[str]:
    """The home page, with what was typed and what is wrong with it; one round trip."""
    async with services.db.tenant_batch(access.tenant, repeatable=True) as batch:
        stored = add_stored(batch)
        runs = add_runs(batch, kind="engagement", limit=SHOWN)
        found = add_companies(batch, SHOWN)
        states = add_latest_states(batch, SHOWN)
        unread = add_unread(batch)
        drafts = add_waiting(batch)
    context = {
        "form": {"website": website},
        "errors": errors or {},
        "waits": {"unread": unread.value(), "drafts": drafts.value()},
        "counts": stored.one(),
        "runs": [_row(run) for run in runs()],
        "companies": company_rows(found.rows, states()),
    }
    return page(request, "home/index.html", context, status=status)


def _row(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "domain": run.subject,
        "name": run.subject,
        "status": run.status,
        "progress": run.progress,
        "error": run.error,
        "created_at": run.created_at,
        "completed_at": run.finished_at,
    }
