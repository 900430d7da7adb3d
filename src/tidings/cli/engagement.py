"""`tidings engagement`: make and read summaries."""

import sys
from typing import Annotated
from uuid import UUID

from cyclopts import App, CycloptsError, Parameter

from tidings.ai.engine_name import parse_engine
from tidings.base.errors import RowMissing
from tidings.cli.follow import follow
from tidings.cli.output import Json, plain_lines, print_json, say
from tidings.cli.session import Organization, Session, open_session
from tidings.cli.summary import show_record
from tidings.engagement.companies import CompanyMeeting, get_company
from tidings.engagement.export import to_markdown
from tidings.engagement.record import Record
from tidings.engagement.start import Started, StartRequest, acting, domain_of, get_record, start

app = App(name="engagement", help="Make and read summaries of all meetings with a company.")

Domain = Annotated[str, Parameter(help="The company's domain, in any spelling.")]
Engine = Annotated[
    str | None,
    Parameter(help="local, openai:MODEL, anthropic:MODEL or google:MODEL; unset: as configured."),
]
Here = Annotated[
    bool | None,
    Parameter(help="Work on it in this process; unset: when no worker takes it within a moment."),
]


@app.command
async def run(
    domain: Domain,
    /,
    *,
    force: Annotated[
        bool, Parameter(negative="", help="Start anew although a run is under way.")
    ] = False,
    engine: Engine = None,
    include_subdomains: Annotated[
        bool, Parameter(negative="", help="Count meetings with subdomains too.")
    ] = False,
    sync: Annotated[
        bool | None, Parameter(help="Fetch from Fathom first; unset: when there is a key.")
    ] = None,
    wait: Annotated[bool, Parameter(help="Wait for the summary and print it.")] = True,
    seconds: Annotated[float, Parameter(name="--timeout", help="Seconds to wait.")] = 600.0,
    here: Here = None,
    organization: Organization = None,
    json: Json = False,
) -> None:
    """Summarise all meetings with a company.

    Example: tidings engagement run acmecorp.com --no-sync
    """
    request = StartRequest(
        domain=domain,
        force=force,
        include_subdomains=include_subdomains,
        sync=sync,
        engine=str(parse_engine(engine)) if engine else None,
    )
    domain_of(request)
    async with open_session(organization) as session:
        started = await _start(session, request)
        if not wait:
            _announce(started, as_json=json)
            return
        await follow(session, started.run_id, seconds=seconds, here=here)
        record = await get_record(session.db, session.tenant, started.domain, started.run_id)
        if record is None:
            raise RowMissing("The summary was deleted before it could be read.")
        await _print(session, record, as_json=json)


@app.command
async def show(
    domain: Domain,
    /,
    *,
    run_id: Annotated[
        UUID | None, Parameter(help="A certain run; unset: the newest summary.")
    ] = None,
    markdown: Annotated[bool, Parameter(negative="", help="Print Markdown.")] = False,
    organization: Organization = None,
    json: Json = False,
) -> None:
    """Print a company's summary with its numbered sources.

    Example: tidings engagement show acmecorp.com --markdown > acme.md
    """
    if markdown and json:
        raise CycloptsError(msg="Choose --markdown or --json.")
    async with open_session(organization) as session:
        if run_id is None:
            record = (await get_company(session.db, session.tenant, domain)).latest
        else:
            record = await get_record(session.db, session.tenant, domain, run_id)
        if record is None:
            raise RowMissing(
                f"There is no such summary of {domain}; "
                f"`tidings engagement run {domain}` makes one."
            )
        await _print(session, record, as_json=json, as_markdown=markdown)


async def _start(session: Session, request: StartRequest) -> Started:
    async with session.db.tenant_transaction(acting(session.tenant)) as transaction:
        started = await start(transaction, session.system.settings, request)
    if not started.created:
        say(f"A run of {started.domain} is under way; this is it.")
    return started


def _announce(started: Started, *, as_json: bool) -> None:
    if as_json:
        print_json(started)
        return
    print(started.run_id, flush=True)
    say("A worker makes the summary: `tidings up` runs one, and so does `tidings work`.")


async def _print(
    session: Session, record: Record, *, as_json: bool, as_markdown: bool = False
) -> None:
    """JSON is the record as it stands; of a terminal's page nothing else can be made."""
    if as_json:
        print_json(record)
    elif record.status != "complete":
        say(f"The run is at {record.status}. {record.error or ''}".strip())
    elif as_markdown or not sys.stdout.isatty():
        print(plain_lines(to_markdown(record)), end="", flush=True)
    else:
        show_record(record, await _meetings(session, record))


async def _meetings(session: Session, record: Record) -> dict[UUID, CompanyMeeting]:
    company = await get_company(session.db, session.tenant, record.domain)
    return {meeting.id: meeting for meeting in company.meetings}
