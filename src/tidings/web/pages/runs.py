"""One run."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath

from tidings.queue.runs import Run, get_run
from tidings.summaries.start import KIND as SUMMARY
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.shell import page


@get("/runs/{run_id:uuid}")
async def run_page(
    request: AnyRequest, access: GivenAccess, services: GivenServices, run_id: FromPath[UUID]
) -> Response[str]:
    """How a run stands, live, and where its result is."""
    run = await get_run(services.db, access.tenant, run_id)
    return page(request, "runs/show.html", {"run": _shown(run)})


def _shown(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "kind": run.kind,
        "status": run.status,
        "progress": run.progress,
        "error": run.error,
        "created_at": run.created_at,
        "completed_at": run.finished_at,
        "result_url": _result_url(run),
        "page_url": f"/companies/{run.subject}" if run.kind == "engagement" else None,
    }


def _result_url(run: Run) -> str | None:
    if run.status != "complete":
        return None
    if run.kind == "engagement":
        return f"/companies/{run.subject}?run={run.id}"
    return f"/summaries/{run.result['summary_id']}" if run.kind == SUMMARY else None
