"""Jobs, for admins: what waits and runs, how long it takes, what failed."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery

from tidings.base import clock
from tidings.base.cursor import decode_cursor, encode_cursor, listing
from tidings.queue.jobs import Job, JobStatus, cancel_job, get_job, list_jobs, retry_job
from tidings.queue.stats import MOST, JobStats, KindStats, read_stats
from tidings.web.auth import AnyRequest
from tidings.web.given import GivenAccess, GivenServices
from tidings.web.pages.shell import Notice, go, page

PAGE = 25
WAITS: tuple[JobStatus, ...] = ("pending", "blocked")


@get("/jobs", opt={"scope": "admin"})
async def browse(
    request: AnyRequest,
    access: GivenAccess,
    services: GivenServices,
    status: FromQuery[JobStatus | None] = None,
    kind: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """Counts by kind, and the jobs of one state or kind, newest first."""
    of = listing("jobs", status=status, kind=kind or None)
    before = decode_cursor(of, cursor, UUID)
    stats = await read_stats(services.db, access.tenant)
    found = await list_jobs(
        services.db, access.tenant, status=status, kind=kind or None, before=before, limit=PAGE + 1
    )
    picked = {name: value for name, value in (("status", status), ("kind", kind)) if value}
    here = f"/jobs?{urlencode(picked)}" if picked else "/jobs"
    joint = "&" if picked else "?"
    more = len(found) > PAGE
    context = {
        "stats": _stats(stats),
        "jobs": [_line(job) for job in found[:PAGE]],
        "status": status or "",
        "kind": kind or "",
        "here": here if cursor is None else f"{here}{joint}cursor={cursor}",
        "next_url": f"{here}{joint}cursor={encode_cursor(of, found[PAGE - 1].id)}"
        if more
        else None,
        "first_url": here if cursor else None,
    }
    return page(request, "jobs/index.html", context)


@get("/jobs/{job_id:uuid}", opt={"scope": "admin"})
async def show(
    request: AnyRequest, access: GivenAccess, services: GivenServices, job_id: FromPath[UUID]
) -> Response[str]:
    """One job whole."""
    job = await get_job(services.db, access.tenant, job_id)
    more = {
        "args": _pretty(job.args),
        "result": None if job.result is None else _pretty(job.result),
        "worker": job.worker,
        "run_id": job.run_id,
        "claimed_at": job.claimed_at,
        "priority": job.priority,
    }
    return page(request, "jobs/show.html", {"job": _line(job) | more})


@post("/jobs/{job_id:uuid}/cancel", opt={"scope": "admin"}, status_code=303)
async def cancel(
    access: GivenAccess, services: GivenServices, job_id: FromPath[UUID]
) -> Response[Any]:
    """Cancel it, or ask its worker to."""
    status = await cancel_job(services.db, access.tenant, job_id)
    services.relay.nudge()
    said = "The job is cancelled." if status == "cancelled" else "Its worker is told to stop."
    return go(f"/jobs/{job_id}", Notice("ok", said))


@post("/jobs/{job_id:uuid}/retry", opt={"scope": "admin"}, status_code=303)
async def retry(
    access: GivenAccess, services: GivenServices, job_id: FromPath[UUID]
) -> Response[Any]:
    """Try it again, or now."""
    await retry_job(services.db, access.tenant, job_id)
    services.relay.nudge()
    return go(f"/jobs/{job_id}", Notice("ok", "The job is tried again."))


def _line(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": job.kind,
        "status": "later" if job.status == "pending" and _is_later(job) else job.status,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "error": job.error,
        "progress": job.progress,
        "created_at": job.created_at,
        "run_at": job.run_at if job.status in WAITS else None,
        "ended_at": job.finished_at,
        "seconds": (job.finished_at - job.claimed_at).total_seconds()
        if job.finished_at and job.claimed_at
        else None,
        "may_cancel": job.finished_at is None and not job.is_cancel_requested,
        "may_retry": job.status == "failed" or _is_later(job),
    }


def _is_later(job: Job) -> bool:
    return job.status in WAITS and job.run_at is not None and job.run_at > clock.now()


def _stats(stats: JobStats) -> dict[str, Any]:
    return {
        "kinds": [_kind(kind) for kind in stats.kinds],
        "pending": _total(stats, "pending"),
        "running": _total(stats, "running"),
        "blocked": _total(stats, "blocked"),
        "completed": _total(stats, "completed"),
        "dead_letters": stats.dead_letters,
        "waits": _seconds_since(stats.due_since),
        "most": MOST,
    }


def _kind(kind: KindStats) -> dict[str, Any]:
    return msgspec.structs.asdict(kind)


def _total(stats: JobStats, state: str) -> int:
    return sum(getattr(kind, state) for kind in stats.kinds)


def _seconds_since(moment: datetime | None) -> float | None:
    return None if moment is None else max(0.0, (clock.now() - moment).total_seconds())


def _pretty(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def job_pages() -> Router:
    """The list and one job."""
    return Router("/", route_handlers=[browse, show, cancel, retry])
