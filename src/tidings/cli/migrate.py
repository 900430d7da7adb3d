"""`tidings migrate`: the schema, up, down, and as it is."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from alembic.util import CommandError
from cyclopts import App, CycloptsError, Parameter

from tidings.base.errors import InputInvalid
from tidings.cli.output import Json, print_json, print_table, say
from tidings.cli.session import ask_database, command_settings, ending_on_sigterm
from tidings.db.addresses import Addresses, open_addresses
from tidings.db.migrate import MigrationStatus, migrate_down, migrate_up, migration_status
from tidings.db.verify import verify as find_differences

app = App(name="migrate", help="Bring the schema up or down, or look at it.")

_TARGET = re.compile(r"base|-[1-9][0-9]*|[0-9]{4}")


@app.command
async def up(*, json: Json = False) -> None:
    """Bring the database up to this program's schema; safe to repeat.

    Example: TIDINGS_OWNER_URL=postgresql://… tidings migrate up
    """
    async with _addresses() as addresses:
        _show(await ask_database(migrate_up, addresses.require_owner()), as_json=json)


@app.command
async def down(
    target: Annotated[
        str, Parameter(allow_leading_hyphen=True, help="A revision, -1 (steps), or base.")
    ],
    /,
    *,
    yes: Annotated[
        bool, Parameter(name="--yes", negative="", help="What was stored there may be deleted.")
    ],
    json: Json = False,
) -> None:
    """Take the database down to a revision (0005), by steps (-1), or to nothing (base).

    Example: tidings migrate down 0005 --yes
    """
    if not yes or not _TARGET.fullmatch(target):
        raise CycloptsError(msg="Name a revision such as 0005, -1 or base, and --yes.")
    async with _addresses() as addresses:
        try:
            status = await ask_database(migrate_down, addresses.require_owner(), target)
        except CommandError as error:
            raise InputInvalid(f"There is nothing to go down to at {target}: {error}.") from None
        _show(status, as_json=json)


@app.command
async def status(*, json: Json = False) -> int:
    """Print where the database is; exit code 1 when revisions are pending.

    Example: tidings migrate status --json
    """
    async with _addresses() as addresses:
        found = await ask_database(migration_status, addresses.app)
    _show(found, as_json=json)
    return 0 if found.is_current else 1


@app.command
async def verify(*, json: Json = False) -> int:
    """Compare the live catalog with what the revisions make; exit code 1 when it differs.

    Example: tidings migrate verify
    """
    async with _addresses() as addresses:
        differences = await ask_database(find_differences, addresses.app)
    if json:
        print_json(differences)
    elif differences:
        print_table(("Difference",), ((difference.sentence,) for difference in differences))
    else:
        say("The schema is as the revisions make it.")
    return 1 if differences else 0


@asynccontextmanager
async def _addresses() -> AsyncIterator[Addresses]:
    settings = command_settings()
    if settings.database_url is None and settings.owner_url is not None:
        # Before there is a login for the service the owner's address says which database is meant.
        settings = settings.model_copy(update={"database_url": settings.owner_url})
    with ending_on_sigterm():
        async with open_addresses(settings) as addresses:
            yield addresses


def _show(status: MigrationStatus, *, as_json: bool) -> None:
    if as_json:
        print_json(status)
        return
    pending = f"; pending: {', '.join(status.pending)}" if status.pending else ""
    print(f"At {status.current or 'nothing'}, newest {status.head}{pending}.", flush=True)
