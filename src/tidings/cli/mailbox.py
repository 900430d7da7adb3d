"""`tidings mailbox`: the mailbox that a channel's mail is fetched from."""

import getpass
import sys
from datetime import datetime
from typing import Annotated
from uuid import UUID

from cyclopts import App, Parameter

from tidings.base.errors import RowMissing
from tidings.base.text import check_text
from tidings.cli.import_messages import find_channel
from tidings.cli.output import Json, moment, print_json, say
from tidings.cli.session import Organization, Session, open_session
from tidings.connectors.check_mailbox import Checker
from tidings.connectors.imap import Tls
from tidings.connectors.mailboxes import (
    MailboxSettings,
    delete_mailbox,
    get_mailbox,
    set_mailbox,
)

Channel = Annotated[str, Parameter(help="Name or id of a channel of kind email.")]

app = App(name="mailbox", help="Fetch a channel's mail over IMAP.")


@app.command
async def set(  # noqa: A001 - the name of the command
    channel: Channel,
    /,
    *,
    host: Annotated[str, Parameter(help="The IMAP server.")],
    user: Annotated[str, Parameter(help="Who signs in there.")],
    port: Annotated[int | None, Parameter(help="Unset: 993, or 143 without implicit TLS.")] = None,
    tls: Annotated[Tls, Parameter(help="From the beginning, or STARTTLS.")] = "implicit",
    folder: Annotated[str, Parameter(help="The folder that is fetched.")] = "INBOX",
    own: Annotated[
        list[str] | None,
        Parameter(help="Another address of ours, whose mail went out; repeatable.", negative=""),
    ] = None,
    since: Annotated[
        datetime | None, Parameter(help="Pass over what the server took before; with its zone.")
    ] = None,
    organization: Organization = None,
) -> None:
    """Set a channel's mailbox; the password is asked for, or read from standard input.

    Example: tidings mailbox set Support --host imap.acme.example --user support@acme.example
    """
    if sys.stdin.isatty():
        password = getpass.getpass(f"Password of {user}: ")
    else:
        password = sys.stdin.read().strip()
    wanted = MailboxSettings(
        host=host,
        user=user,
        password=password or None,
        port=port,
        tls=tls,
        folder=folder,
        own_addresses=own or [],
        since=since,
    )
    async with open_session(organization) as session:
        channel_id = await _channel(session, channel)
        system = session.system
        await set_mailbox(
            session.db,
            system.keys,
            session.tenant,
            channel_id,
            wanted,
            allow_private=system.settings.gateway_private,
        )
    say(f"The mail of {user} is fetched every minute, where a worker runs.")


@app.command
async def show(
    channel: Channel, /, *, organization: Organization = None, json: Json = False
) -> None:
    """Show a channel's mailbox and how its last check went, never the password.

    Example: tidings mailbox show Support
    """
    async with open_session(organization) as session:
        found = await get_mailbox(session.db, session.tenant, await _channel(session, channel))
    if json:
        print_json(found)
        return
    state = "paused" if found.paused_at else "failing" if found.failures else "working"
    checked = moment(found.last_checked_at) or "never"
    print(f"{found.user} at {found.host}:{found.port}, {found.folder}: {state}, checked {checked}")
    if found.last_error:
        print(found.last_error)


@app.command
async def check(
    channel: Channel, /, *, organization: Organization = None, json: Json = False
) -> None:
    """Fetch what is new right now, in this process; also what was paused.

    Example: tidings mailbox check Support
    """
    async with open_session(organization) as session:
        channel_id = await _channel(session, channel)
        await get_mailbox(session.db, session.tenant, channel_id)
        system = session.system
        checker = Checker(session.db, system.keys, system.settings, lambda: None)
        done = await checker.check(session.tenant, channel_id)
    if json:
        print_json(done)
    else:
        unreadable = f", {done.unreadable} could not be read" if done.unreadable else ""
        print(f"{done.created} created, {done.duplicates} there already{unreadable}.")


@app.command
async def delete(channel: Channel, /, *, organization: Organization = None) -> None:
    """Fetch no more and forget the password; what came in stays.

    Example: tidings mailbox delete Support
    """
    async with open_session(organization) as session:
        await delete_mailbox(session.db, session.tenant, await _channel(session, channel))
    say("Its mail is not fetched any more.")


async def _channel(session: Session, wanted: str) -> UUID:
    check_text("channel", wanted)
    found = await find_channel(session, wanted)
    if found is None:
        raise RowMissing(f"There is no channel {wanted}.")
    return found.id
