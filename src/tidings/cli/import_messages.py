"""`tidings import messages`: messages out of mailboxes, chat exports, tables and logs."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated
from uuid import UUID

import msgspec
from cyclopts import Parameter

from tidings.base.cursor import Page
from tidings.base.errors import FileInvalid, RowMissing, StateConflict
from tidings.base.text import check_text
from tidings.cli.output import Json, print_json, say
from tidings.cli.progress import Bar, open_bar
from tidings.cli.session import Organization, Session, open_session
from tidings.messages.channels import (
    Channel,
    NewChannel,
    create_channel,
    get_channel,
    list_channels,
)
from tidings.messages.formats import Defaults, Format, RowError, kind_of, read_messages
from tidings.messages.formats.read import detect, files_in
from tidings.messages.ingest import Ingested, ingest
from tidings.messages.item import MOST_ITEMS, MessageItem

MOST_ERRORS = 1000
"""As many are told one by one; the rest are counted."""


class FailedRow(msgspec.Struct, frozen=True):
    """A part of a file that was not taken in, or a whole file where `place` is ""."""

    path: str
    place: str
    detail: str


class MessagesImported(msgspec.Struct):
    """What became of the files; `messages` were read, the two after it are what was stored."""

    channel_id: UUID | None
    files: int = 0
    messages: int = 0
    created: int = 0
    duplicates: int = 0
    failed: int = 0
    errors: list[FailedRow] = []
    dry_run: bool = False


async def messages(
    paths: Annotated[list[Path], Parameter(help="Files, folders of them, or a Slack export.")],
    /,
    *,
    channel: Annotated[str, Parameter(help="Name or id of the channel that takes them.")],
    file_format: Annotated[
        Format | None,
        Parameter(
            name="--format", help="What the files are; unset: as their names and lines tell."
        ),
    ] = None,
    create: Annotated[
        bool, Parameter(negative="", help="Make the channel when there is none of that name.")
    ] = False,
    me: Annotated[
        list[str] | None,
        Parameter(help="Address, name or id of our side, whose messages went out; repeatable."),
    ] = None,
    dry_run: Annotated[
        bool, Parameter(negative="", help="Read the files and store nothing.")
    ] = False,
    organization: Organization = None,
    json: Json = False,
) -> int:
    """Take in messages from mbox, Slack and WhatsApp exports, CSV, JSON Lines and IRC logs.

    A repeat changes nothing. Times without a zone are in that of the channel.

    Example: tidings import messages support.mbox --channel Support --create
    """
    check_text("channel", channel)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(open_session(organization))
        target = await find_channel(session, channel)
        if target is None and not create:
            raise RowMissing(f"There is no channel {channel}; make it with --create.")
        if target is None and not dry_run:
            target = await _make(session, channel, file_format or detect(paths[0]))
        run = _Run(None if dry_run else session, target, stack.enter_context(open_bar()))
        defaults = Defaults(
            ours=frozenset(one.lower() for one in me or []),
            timezone=target.timezone if target else "UTC",
        )
        for path in paths:
            await run.take_all(path, file_format, defaults)
    if json:
        print_json(run.done)
    else:
        _show(run.done)
    return 1 if run.done.failed else 0


class _Run:
    """One import: what was read so far, and what waits to be stored."""

    def __init__(self, session: Session | None, channel: Channel | None, bar: Bar) -> None:
        self._session = session
        self._channel = channel
        self._bar = bar
        self.done = MessagesImported(channel.id if channel else None, dry_run=session is None)

    async def take_all(self, path: Path, file_format: Format | None, defaults: Defaults) -> None:
        """Take in a file, or those of a folder; what tells nothing there is named and left."""
        try:
            files = _unfold(path, file_format)
        except FileInvalid as error:
            self._fail(path, "", error.message)
            return
        except OSError as error:
            self._fail(path, "", f"{path}: {error.strerror}.")
            return
        for file in files:
            await self.take(file, file_format, defaults)

    async def take(self, path: Path, file_format: Format | None, defaults: Defaults) -> None:
        """Take in one file; a file that cannot be read keeps none from the next."""
        waiting: list[MessageItem] = []
        failed = self.done.failed
        try:
            for entry in read_messages(path, file_format, defaults):
                if isinstance(entry, RowError):
                    self._fail(path, entry.place, entry.detail)
                    continue
                waiting.append(entry)
                self.done.messages += 1
                if len(waiting) == MOST_ITEMS:
                    await self._store(waiting)
                    waiting.clear()
        except FileInvalid as error:
            self._fail(path, "", error.message)
        except OSError as error:
            self._fail(path, "", f"{path}: {error.strerror}.")
        await self._store(waiting)
        self.done.files += 1 if self.done.failed == failed else 0

    async def _store(self, items: Sequence[MessageItem]) -> None:
        taken = Ingested()
        if self._session is not None and self._channel is not None:
            # Whoever runs commands on the machine is no member of each channel.
            tenant = self._session.tenant.as_service()
            taken = await ingest(self._session.db, tenant, self._channel.id, items)
        self.done.created += taken.created
        self.done.duplicates += taken.duplicates
        self._bar.at("import", self.done.messages, 0)

    def _fail(self, path: Path, place: str, detail: str) -> None:
        self.done.failed += 1
        name = str(path).encode("utf-8", "replace").decode()
        if len(self.done.errors) < MOST_ERRORS:
            self.done.errors.append(FailedRow(name, place, detail))
            say(f"{name} {place}: {detail}" if place else detail)


def _unfold(path: Path, file_format: Format | None) -> list[Path]:
    files = files_in(path, file_format)
    left = 0 if files == [path] else sum(file.is_file() for file in path.iterdir()) - len(files)
    if left:
        say(f"{path}: {left} files are left out, as nothing tells what they are.")
    return files


async def find_channel(session: Session, wanted: str) -> Channel | None:
    """The channel of that id or name. Raises `StateConflict` where several have the name."""
    service = session.tenant.as_service()
    try:
        return await get_channel(session.db, service, UUID(wanted))
    except ValueError:
        pass
    found = (await list_channels(session.db, service, Page(2), name=wanted)).items
    if len(found) > 1:
        raise StateConflict(f"More than one channel is named {wanted}; give its id.")
    return found[0] if found else None


async def _make(session: Session, name: str, file_format: Format) -> Channel:
    new = NewChannel(name=name, kind=kind_of(file_format))
    return await create_channel(session.db, session.tenant, new)


def _show(done: MessagesImported) -> None:
    if done.dry_run:
        counts = f"{done.messages} messages would be imported"
    else:
        counts = f"{done.created} created, {done.duplicates} there already"
    failed = f"; {done.failed} errors" if done.failed else ""
    print(f"{counts}{failed}.", flush=True)
