"""The home page: ask for a company, see what is going on."""

from typing import Any

from litestar import Response, get

from tidings.approvals.read import read_queue
from tidings.base.cursor import Page
from tidings.meetings.read import count_stored, list_companies
from tidings.messages.channels import list_channels
from tidings.queue.runs import Run, list_runs
from tidings.tenancy.access import Access
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.company_rows import company_rows
from tidings.web.pages.inbox import MOST_CHANNELS
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
    """The home page, with what was typed and what is wrong with it."""
    stored = await count_stored(services.db, access.tenant)
    runs = await list_runs(services.db, access.tenant, kind="engagement", limit=SHOWN)
    found = await list_companies(services.db, access.tenant, Page(SHOWN))
    channels = await list_channels(services.db, access.tenant, Page(MOST_CHANNELS), mine=True)
    queue = await read_queue(services.db, access.tenant, Page(1), status="pending")
    context = {
        "form": {"website": website},
        "errors": errors or {},
        "waits": {
            "unread": sum(one.unread for one in channels.items),
            "drafts": queue.counts.get("pending", 0),
        },
        "counts": stored,
        "runs": [_row(run) for run in runs],
        "companies": await company_rows(services, access, found.items),
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
