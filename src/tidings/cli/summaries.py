"""`tidings summaries`: make and read summaries of conversations."""

from datetime import UTC, date, datetime
from typing import Annotated, get_args
from uuid import UUID

from cyclopts import App, Parameter

from tidings.ai.engine_name import parse_engine
from tidings.base.cursor import Page
from tidings.cli.follow import follow
from tidings.cli.output import Json, moment, plain_lines, print_json, print_table
from tidings.cli.session import Organization, Session, open_session
from tidings.queue.runs import get_run
from tidings.summaries.ask import AskRequest
from tidings.summaries.export import to_markdown
from tidings.summaries.read import get_summary, list_summaries
from tidings.summaries.record import Summary, SummaryType
from tidings.summaries.start import acting, ask, start

app = App(name="summaries", help="Make and read summaries of conversations.")


@app.command
async def make(
    kind: Annotated[SummaryType, Parameter(help=", ".join(get_args(SummaryType)) + ".")],
    reference: Annotated[
        UUID | None, Parameter(help="The thread or channel; a catch_up may do without.")
    ] = None,
    /,
    *,
    since: Annotated[
        datetime | None, Parameter(help="From this time on, in UTC: of a channel or catch_up.")
    ] = None,
    day: Annotated[
        date | None, Parameter(name="--date", help="Day of a daily_digest; unset: today.")
    ] = None,
    timezone: Annotated[str | None, Parameter(help="Its IANA time zone; unset: UTC.")] = None,
    engine: Annotated[
        str | None, Parameter(help="local or PROVIDER:MODEL; unset: as configured.")
    ] = None,
    seconds: Annotated[float, Parameter(name="--timeout", help="Seconds to wait.")] = 600.0,
    here: Annotated[
        bool | None,
        Parameter(help="Work on it in this process; unset: when no worker takes it."),
    ] = None,
    organization: Organization = None,
    json: Json = False,
) -> None:
    """Summarise a thread, a channel, a day or what is new; it reads as the organization's owner.

    Example: tidings summaries make daily_digest --timezone Europe/Oslo
    """
    request = AskRequest(
        type=kind,
        reference=reference,
        since=since.replace(tzinfo=since.tzinfo or UTC) if since else None,
        date=day,
        timezone=timezone,
        engine=str(parse_engine(engine)) if engine else None,
    )
    async with open_session(organization) as session:
        _print(await _made(session, request, seconds, here=here), as_json=json)


@app.command
async def show(
    summary_id: Annotated[
        UUID | None, Parameter(help="Which one; unset: all, newest first.")
    ] = None,
    /,
    *,
    organization: Organization = None,
    json: Json = False,
) -> None:
    """Print a summary as Markdown, or list those there are.

    Example: tidings summaries show
    """
    async with open_session(organization) as session:
        if summary_id is not None:
            _print(await get_summary(session.db, session.tenant, summary_id), as_json=json)
            return
        found = (await list_summaries(session.db, session.tenant, Page())).items
    if json:
        print_json(found)
        return
    print_table(
        ("Id", "Type", "About", "Messages", "Made"),
        [
            (str(one.id), one.type, one.title, str(one.message_count), moment(one.generated_at))
            for one in found
        ],
    )


async def _made(
    session: Session, request: AskRequest, seconds: float, *, here: bool | None
) -> Summary:
    asked = await ask(session.db, session.system.gateway, session.tenant, request)
    if asked.summary is not None:
        return asked.summary
    async with session.db.tenant_transaction(acting(session.tenant)) as transaction:
        started = await start(transaction, asked)
    await follow(session, started.run_id, seconds=seconds, here=here)
    run = await get_run(session.db, session.tenant, started.run_id)
    return await get_summary(session.db, session.tenant, UUID(run.result["summary_id"]))


def _print(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        print_json(summary)
    else:
        print(plain_lines(to_markdown(summary)), end="", flush=True)
