"""Jobs: the work behind everything, for admins."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.params import FromPath, QueryParameter

from tidings.base.cursor import Page, decode_cursor, listing
from tidings.queue.jobs import Job, JobStatus, cancel_job, get_job, list_jobs, retry_job
from tidings.queue.stats import JobStats, read_stats
from tidings.web.answers import Answer, keep
from tidings.web.documented import Idempotent, documented
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.paging import Cursor, Limit


class JobPage(msgspec.Struct, frozen=True):
    """One page of jobs."""

    items: list[Job]
    next_cursor: str | None


class JobAnswer(msgspec.Struct, frozen=True):
    """The state a job is in now."""

    id: UUID
    status: JobStatus


@get("/jobs", opt={"scope": "admin"}, responses=documented(403), operation_id="listJobs")
async def jobs(
    access: GivenAccess,
    services: GivenServices,
    limit: Limit = 50,
    cursor: Cursor = None,
    status: Annotated[JobStatus | None, QueryParameter()] = None,
    kind: Annotated[str | None, QueryParameter(max_length=63)] = None,
) -> JobPage:
    """Jobs of the organization, live and finished, newest first; failed ones are dead letters."""
    page = Page(limit, cursor)
    of = listing("jobs", status=status, kind=kind)
    before = decode_cursor(of, page.cursor, UUID)
    found = await list_jobs(
        services.db, access.tenant, status=status, kind=kind, before=before, limit=limit + 1
    )
    return JobPage(*page.cut(of, found, lambda job: job.id))


@get("/jobs-stats", opt={"scope": "admin"}, responses=documented(403), operation_id="getJobStats")
async def stats(access: GivenAccess, services: GivenServices) -> JobStats:
    """Counts by kind and state, and how long jobs of the last hour waited and ran, in seconds."""
    return await read_stats(services.db, access.tenant)


@get(
    "/jobs/{job_id:uuid}",
    opt={"scope": "admin"},
    responses=documented(403, 404),
    operation_id="getJob",
)
async def job(access: GivenAccess, services: GivenServices, job_id: FromPath[UUID]) -> Job:
    """One job: state, arguments, tries, progress, result and error."""
    return await get_job(services.db, access.tenant, job_id)


@post(
    "/jobs/{job_id:uuid}/cancel",
    status_code=200,
    opt={"scope": "admin"},
    responses=documented(403, 404, 409, 413, 422),
    operation_id="cancelJob",
    operation_class=Idempotent,
)
async def cancel(
    request: Request[Any, Any, Any],
    access: GivenAccess,
    services: GivenServices,
    job_id: FromPath[UUID],
) -> Response[JobAnswer]:
    """Cancel a job that waits, or stop one that runs; one that has ended stays as it is."""
    status = await cancel_job(services.db, access.tenant, job_id)
    services.relay.nudge()
    return await keep(request, services, Answer(JobAnswer(job_id, status), 200))


@post(
    "/jobs/{job_id:uuid}/retry",
    status_code=200,
    opt={"scope": "admin"},
    responses=documented(403, 404, 409, 413, 422),
    operation_id="retryJob",
    operation_class=Idempotent,
)
async def retry(
    request: Request[Any, Any, Any],
    access: GivenAccess,
    services: GivenServices,
    job_id: FromPath[UUID],
) -> Response[JobAnswer]:
    """Try a dead letter again, with all its attempts; one that waits for a time is tried now."""
    await retry_job(services.db, access.tenant, job_id)
    services.relay.nudge()
    return await keep(request, services, Answer(JobAnswer(job_id, "pending"), 200))


def jobs_router() -> Router:
    """Everything below `/v1/jobs`."""
    return Router("/v1", route_handlers=[jobs, stats, job, cancel, retry], tags=["Jobs"])
