"""`tidings audit`: who changed what, and whether the record of it is whole."""

from typing import Annotated
from uuid import UUID

import msgspec
from cyclopts import App, Parameter
from cyclopts.validators import Number

from tidings.base.text import check_text
from tidings.cli.output import Json, moment, print_json, print_table, say, to_json
from tidings.cli.session import Organization, open_session
from tidings.tenancy.audit import list_entries, verify_own_chain

app = App(name="audit", help="Read and verify the audit log.")


@app.command(name="list")
async def list_log(
    *,
    target: Annotated[
        str | None, Parameter(help="Only what is about this, such as secret:openai_api_key.")
    ] = None,
    before: Annotated[
        UUID | None, Parameter(help="Only entries older than this one, by its id.")
    ] = None,
    limit: Annotated[
        int, Parameter(help="Most rows to print.", validator=Number(gte=1, lte=10_000))
    ] = 50,
    organization: Organization = None,
    json: Json = False,
) -> None:
    """Print the audit log, the newest entries first.

    Example: tidings audit list --target secret:openai_api_key
    """
    wanted = check_text("target", target) if target else None
    async with open_session(organization) as session:
        entries = await list_entries(
            session.db, session.tenant, target=wanted, before=before, limit=limit
        )
    if json:
        print_json(entries)
        return
    print_table(
        ("Id", "When", "What", "About", "By", "Details"),
        (
            (
                str(entry.id),
                moment(entry.at),
                entry.action,
                entry.target,
                f"{entry.actor_kind} {entry.actor_user_id or ''}".strip(),
                "erased" if entry.payload is None else to_json(entry.payload),
            )
            for entry in entries
        ),
    )


@app.command
async def verify(*, organization: Organization = None, json: Json = False) -> int:
    """Recompute the chain of the audit log; exit code 1 when it is broken.

    Example: tidings audit verify --organization north
    """
    async with open_session(organization) as session:
        report = await verify_own_chain(session.db, session.tenant)
    if json:
        print_json(msgspec.structs.asdict(report) | {"head": report.head.hex()})
    elif report.intact:
        say(
            f"The chain is intact: {report.entries} entries in {report.seals} seals, "
            f"{report.unsealed} not yet sealed. Keep its head to notice a cut-off end:"
        )
        print(report.head.hex(), flush=True)
    else:
        say(f"The chain is broken at seal {report.broken_at}: {report.problem}.")
    return 0 if report.intact else 1
