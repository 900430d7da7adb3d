"""`tidings secrets`: keys and passwords of outside systems, sealed in the database."""

import getpass
import sys
from typing import Annotated

from cyclopts import App, Parameter

from tidings.cli.output import Json, moment, print_json, print_table, say
from tidings.cli.session import Organization, open_command_system, open_session
from tidings.tenancy.secrets import delete_secret, reseal_secrets, set_secret
from tidings.tenancy.secrets import list_secrets as list_hints

Name = Annotated[str, Parameter(help="Such as fathom_api_key or openai_api_key.")]

app = App(name="secrets", help="Set, list, delete and reseal sealed secrets.")


@app.command
async def set(name: Name, /, *, organization: Organization = None) -> None:  # noqa: A001 - the name of the command
    """Store or replace a secret; its value is asked for, or read from standard input.

    Example: tidings secrets set fathom_api_key < key.txt
    """
    if sys.stdin.isatty():
        value = getpass.getpass(f"Value of {name}: ")
    else:
        value = sys.stdin.read().strip()
    async with open_session(organization) as session:
        await set_secret(session.db, session.system.keys, session.tenant, name, value)
    say(f"{name} is set.")


@app.command(name="list")
async def list_secrets(*, organization: Organization = None, json: Json = False) -> None:
    """List which secrets are set, never what they are.

    Example: tidings secrets list
    """
    async with open_session(organization) as session:
        hints = await list_hints(session.db, session.tenant)
    if json:
        print_json(hints)
        return
    print_table(
        ("Name", "Ends with", "Set"),
        ((hint.name, hint.hint, moment(hint.updated_at)) for hint in hints),
    )


@app.command
async def delete(name: Name, /, *, organization: Organization = None) -> None:
    """Remove a secret.

    Example: tidings secrets delete fathom_api_key
    """
    async with open_session(organization) as session:
        await delete_secret(session.db, session.tenant, name)
    say(f"{name} is deleted.")


@app.command
async def reseal(*, json: Json = False) -> int:
    """Seal every organization's secrets with the first key of TIDINGS_SECRET_KEY.

    Put a new key in front of the old one, restart, run this, and take the old one away.

    Example: TIDINGS_SECRET_KEY=new,old tidings secrets reseal
    """
    async with open_command_system() as system:
        resealed = await reseal_secrets(system.db, system.keys)
    if json:
        print_json(resealed)
    elif resealed.unreadable:
        say(
            f"{resealed.done} sealed anew; {resealed.unreadable} cannot be opened with any key "
            "that is set: add the one that sealed them, or set them again."
        )
    else:
        say(f"{resealed.done} sealed anew; older keys can be taken away.")
    return 1 if resealed.unreadable else 0
