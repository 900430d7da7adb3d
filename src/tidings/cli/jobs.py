"""`tidings jobs`: what the queue holds, what failed, and a worker that empties it."""

from typing import Annotated
from uuid import UUID

import msgspec
from cyclopts import App, Parameter
from cyclopts.validators import Number

from tidings.cli.output import Json, moment, plain, print_json, print_table, say
from tidings.cli.session import Organization, open_session
from tidings.queue.jobs import Job, JobStatus, cancel_job, get_job, list_jobs, retry_job
from tidings.queue.settle import weigh_lane
from tidings.queue.stats import read_stats
from tidings.wiring import build_worker, realtime
from tidings.worker.run import work_until_stopped

app = App(name="jobs", help="Look at jobs, try them again, stop them, empty the queue.")

JobId = Annotated[UUID, Parameter(help="The job.")]
Most = Annotated[int, Parameter(help="Most rows to print.", validator=Number(gte=1, lte=1000))]


class Standing(msgspec.Struct, frozen=True):
    """What `retry` and `cancel` print with --json."""

    id: UUID
    status: str


class Weight(msgspec.Struct, frozen=True):
    """What `tidings jobs weight --json` prints."""

    weight: int


class Left(msgspec.Struct, frozen=True):
    """What `tidings jobs drain --json` prints: whether jobs wait for their time."""

    later: bool


@app.command(name="list")
async def list_(
    *,
    status: Annotated[JobStatus | None, Parameter(help="Only jobs in this state.")] = None,
    kind: Annotated[str | None, Parameter(help="Only jobs of this kind.")] = None,
    most: Most = 50,
    organization: Organization = None,
    json: Json = False,
) -> None:
    """Print jobs, newest first; failed ones are the dead letters.

    Example: tidings jobs list --status failed
    """
    async with open_session(organization) as session:
        found = await list_jobs(session.db, session.tenant, status=status, kind=kind, limit=most)
    if json:
        print_json(found)
        return
    print_table(
        ["id", "kind", "state", "tries", "enqueued", "error"],
        [
            [
                str(job.id),
                job.kind,
                job.status,
                f"{job.attempt}/{job.max_attempts}",
                moment(job.created_at),
                job.error or "",
            ]
            for job in found
        ],
    )


@app.command
async def show(job_id: JobId, /, *, organization: Organization = None, json: Json = False) -> None:
    """Print one job: its arguments, tries, progress, result and error.

    Example: tidings jobs show 01990000-0000-7000-8000-000000000000
    """
    async with open_session(organization) as session:
        job = await get_job(session.db, session.tenant, job_id)
    if json:
        print_json(job)
        return
    print_table(["", ""], _facts(job))


@app.command
async def retry(job_id: JobId, /, *, organization: Organization = None, json: Json = False) -> None:
    """Try a dead letter again; one that waits for a time or a budget is tried now.

    Example: tidings jobs retry 01990000-0000-7000-8000-000000000000
    """
    async with open_session(organization) as session:
        await retry_job(session.db, session.tenant, job_id)
    _answer(Standing(job_id, "pending"), "It is tried again.", as_json=json)


@app.command
async def cancel(
    job_id: JobId, /, *, organization: Organization = None, json: Json = False
) -> None:
    """Cancel a job that waits, or ask the worker of one that runs to stop it.

    Example: tidings jobs cancel 01990000-0000-7000-8000-000000000000
    """
    async with open_session(organization) as session:
        status = await cancel_job(session.db, session.tenant, job_id)
    _answer(Standing(job_id, status), f"It is {status}.", as_json=json)


@app.command
async def stats(*, organization: Organization = None, json: Json = False) -> None:
    """Print what waits and runs by kind, and how long jobs of the last hour took.

    Example: tidings jobs stats --json
    """
    async with open_session(organization) as session:
        found = await read_stats(session.db, session.tenant)
    if json:
        print_json(found)
        return
    print_table(
        ["kind", "waiting", "running", "blocked", "done", "failed", "wait p95", "run p95"],
        [
            [
                row.kind,
                *(str(n) for n in (row.pending, row.running, row.blocked)),
                *(str(n) for n in (row.completed, row.failed)),
                _seconds(row.wait_p95),
                _seconds(row.run_p95),
            ]
            for row in found.kinds
        ],
    )
    say(f"Dead letters: {found.dead_letters}. Weight: {found.weight}.")


@app.command
async def weight(
    value: Annotated[
        int,
        Parameter(
            help="Jobs it gets for each one of an organization of weight 1.",
            validator=Number(gte=1, lte=100),
        ),
    ],
    /,
    *,
    organization: Organization = None,
    json: Json = False,
) -> None:
    """Set the share of the workers that an organization has while others wait too.

    Example: tidings jobs weight 3 --organization acme
    """
    async with open_session(organization) as session:
        await weigh_lane(session.db, session.tenant.organization_id, value)
    if json:
        print_json(Weight(value))
    else:
        say(f"Its weight is {value}.")


@app.command
async def drain(*, organization: Organization = None, json: Json = False) -> None:
    """Work until no job of any organization is due, then stop; blocked and later ones stay.

    Example: tidings jobs drain
    """
    async with open_session(organization) as session, realtime(session.system) as (_, relay):
        await work_until_stopped(build_worker(session.system, relay), until_empty=True)
        left = await list_jobs(session.db, session.tenant, status="pending", limit=1)
    if json:
        print_json(Left(bool(left)))
    else:
        say("Nothing is due; some jobs wait for their time." if left else "Nothing is due.")


def _facts(job: Job) -> list[list[str]]:
    fields = msgspec.to_builtins(job)
    return [
        [name, plain(value if isinstance(value, str) else msgspec.json.encode(value).decode())]
        for name, value in fields.items()
        if value is not None
    ]


def _answer(standing: Standing, sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(standing)
    else:
        say(sentence)


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.3f} s"
