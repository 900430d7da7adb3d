"""`tidings kv`: the KV store from the command line."""

import asyncio
import signal
import sys
from datetime import timedelta
from typing import Annotated, Any

import msgspec
from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number

from tidings.base.errors import InputInvalid, RowMissing, TidingsError
from tidings.cli.output import Json, moment, plain, print_json, print_table, say, to_json
from tidings.cli.session import Organization, Session, open_session
from tidings.kv.entry import Entry, Page
from tidings.kv.purge import delete_prefix
from tidings.kv.store import MOST_LISTED, Kv
from tidings.kv.watch import Change, Watch
from tidings.wiring import realtime

app = App(name="kv", help="Read, write and watch the KV store.")

_SHOWN = 60  # characters of a value in a table on a terminal

Key = Annotated[str, Parameter(help="The key.")]
Prefix = Annotated[str, Parameter(help="Only keys that start with this; unset: all.")]
Ttl = Annotated[float | None, Parameter(help="Seconds until it expires; unset: never.")]


class Deletion(msgspec.Struct, frozen=True):
    """What `tidings kv delete --json` prints."""

    deleted: int


@app.command
async def get(key: Key, /, *, organization: Organization = None, json: Json = False) -> None:
    """Print the value of a key as JSON; with --json version and expiry too.

    Example: tidings kv get greeting
    """
    async with open_session(organization) as session:
        entry = await session.kv.get(session.tenant, key)
    if entry is None:
        raise RowMissing(f"There is no key {key!r}.")
    print_json(entry if json else entry.value)


@app.command
async def set(  # noqa: A001 - the name of the command
    key: Key,
    value: Annotated[
        str, Parameter(allow_leading_hyphen=True, help="JSON; - reads standard input.")
    ],
    /,
    *,
    ttl: Ttl = None,
    relaxed: Annotated[
        bool, Parameter(negative="", help="Commit without waiting for the disk.")
    ] = False,
    if_version: Annotated[int | None, Parameter(help="Only when it is at this version.")] = None,
    if_absent: Annotated[
        bool, Parameter(negative="", help="Only when the key is not there.")
    ] = False,
    organization: Organization = None,
    json: Json = False,
) -> None:
    """Set a key to a JSON value.

    Example: tidings kv set greeting '"hello"' --ttl 3600
    """
    decoded = _decode(
        sys.stdin.buffer.read() if value == "-" else value.encode("utf-8", "surrogatepass")
    )
    lifetime = None if ttl is None else _seconds(ttl)
    async with open_session(organization) as session:
        written = await session.kv.set(
            session.tenant,
            key,
            decoded,
            ttl=lifetime,
            if_version=if_version,
            only_if_absent=if_absent,
            relaxed=relaxed,
        )
    if json:
        print_json(written)
    else:
        until = f", expires {moment(written.expires_at)} UTC" if written.expires_at else ""
        say(f"{key} is at version {written.version}{until}.")


@app.command(name="list")
async def list_keys(
    prefix: Prefix = "",
    /,
    *,
    limit: Annotated[int, Parameter(help="Most entries to print.", validator=Number(gte=1))] = 50,
    organization: Organization = None,
    json: Json = False,
) -> None:
    """List entries in the order of their keys.

    Example: tidings kv list engagement: --limit 10
    """
    async with open_session(organization) as session:
        page = await _list(session, prefix, limit)
    if json:
        print_json(page)
        return
    print_table(
        ("Key", "Version", "Expires", "Value"),
        ((e.key, str(e.version), moment(e.expires_at), _shown(e.value)) for e in page.items),
    )
    if page.next_cursor:
        say(f"There are more; --limit {limit * 2} shows them.")


@app.command
async def delete(
    key: Key | None = None,
    /,
    *,
    prefix: Annotated[
        str | None, Parameter(help="Delete every key that starts with this instead.")
    ] = None,
    organization: Organization = None,
    json: Json = False,
) -> None:
    """Delete a key, or every key under a prefix.

    Example: tidings kv delete --prefix scratch:
    """
    if (key is None) == (prefix is None) or not (key or prefix):
        raise CycloptsError(msg="Name a key, or a --prefix that is not empty.")
    async with open_session(organization) as session:
        if prefix is not None:
            deleted = await delete_prefix(session.db, session.tenant, prefix)
        else:
            assert key is not None
            deleted = int(await session.kv.delete(session.tenant, key))
    if json:
        print_json(Deletion(deleted))
    else:
        say(f"{deleted} deleted.")


@app.command
async def watch(
    prefix: Prefix = "",
    /,
    *,
    count: Annotated[
        int | None, Parameter(help="End after so many changes.", validator=Number(gte=1))
    ] = None,
    organization: Organization = None,
    json: Json = False,
) -> None:
    """Print changes as they happen, one a line, until Ctrl-C.

    Example: tidings kv watch engagement: --json
    """
    async with open_session(organization) as session, realtime(session.system) as (hub, _):
        kv = Kv(session.db, hub)
        async with kv.watch(session.tenant, prefix) as changes:
            printing = asyncio.ensure_future(_print_changes(changes, count, as_json=json))
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGINT, printing.cancel)
            say("Watching; Ctrl-C ends it.")
            try:
                await asyncio.wait([printing])
            finally:
                loop.remove_signal_handler(signal.SIGINT)
                printing.cancel()
            if not printing.cancelled():
                printing.result()


async def _print_changes(changes: Watch, count: int | None, *, as_json: bool) -> None:
    printed = 0
    async for change in changes:
        print(to_json(change) if as_json else _line(change), flush=True)
        printed += 1
        if printed == count:
            return
    raise TidingsError("The watch fell behind and ended; read the keys and watch again.")


def _line(change: Change) -> str:
    value = "" if change.value is msgspec.UNSET else to_json(change.value)
    return "\t".join((change.op, plain(change.key), str(change.version), value)).rstrip("\t")


async def _list(session: Session, prefix: str, limit: int) -> Page:
    """Up to `limit` entries, over as many pages as that takes."""
    entries: list[Entry] = []
    cursor: str | None = None
    while True:
        asked = min(limit - len(entries), MOST_LISTED)
        page = await session.kv.list(session.tenant, prefix, limit=asked, cursor=cursor)
        entries += page.items
        cursor = page.next_cursor
        if cursor is None or len(entries) >= limit:
            return Page(entries, cursor)


def _decode(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError as error:
        problem = f"is not JSON ({error}); text needs quotes, as in '\"hello\"'"
        raise InputInvalid.of("value", problem) from None


def _seconds(ttl: float) -> timedelta:
    try:
        return timedelta(seconds=ttl)
    except (OverflowError, ValueError):
        problem = "must be a number of seconds, at most 3,650 days"
        raise InputInvalid.of("ttl", problem) from None


def _shown(value: Any) -> str:
    text = to_json(value)
    if not sys.stdout.isatty() or len(text) <= _SHOWN:
        return text
    return text[: _SHOWN - 1] + "…"
