"""`tidings import`: meetings out of files."""

from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from tidings.base.errors import FieldProblem, FileInvalid, InputInvalid, TidingsError
from tidings.base.text import counted
from tidings.cli.import_messages import messages
from tidings.cli.meeting_files import find_files
from tidings.cli.output import Json, print_json, say
from tidings.cli.progress import Bar, open_bar
from tidings.cli.session import Organization, Session, open_session
from tidings.meetings.capture import MOST_ITEMS, Captured, capture
from tidings.meetings.domains import email_domain, normalise_domain
from tidings.meetings.formats import FileDefaults, read_file
from tidings.meetings.item import MeetingItem

app = App(name="import", help="Take in meetings and messages.")
app.command(messages)


class FailedFile(msgspec.Struct, frozen=True):
    """A file that was not taken in; `detail` names it and the line."""

    path: str
    detail: str


class Imported(msgspec.Struct, frozen=True):
    """What became of the files; `meetings` were read, the three after it are what was stored."""

    files: int
    meetings: int
    created: int
    updated: int
    unchanged: int
    errors: list[FailedFile]
    dry_run: bool = False


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says of every file."""

    company: str | None
    invitees: Sequence[str]
    date: datetime | None
    title: str | None

    def for_file(self, path: Path) -> FileDefaults:
        """The same for one file, whose own time stands in for a date."""
        return FileDefaults(
            date=self.date or datetime.fromtimestamp(path.stat().st_mtime, UTC),
            title=self.title,
            invitees=self.invitees,
            company=self.company,
        )


@app.command
async def meetings(
    paths: Annotated[list[Path], Parameter(help="Files, and folders to look for files in.")],
    /,
    *,
    company: Annotated[
        str | None, Parameter(help="Domain that was met, for files that name nobody's address.")
    ] = None,
    invitee: Annotated[
        list[str] | None,
        Parameter(help="E-mail address of somebody who was there; repeatable.", negative=""),
    ] = None,
    date: Annotated[
        datetime | None, Parameter(help="When, for files that do not say; unset: the file's time.")
    ] = None,
    title: Annotated[str | None, Parameter(help="Title, for files that have none.")] = None,
    dry_run: Annotated[
        bool, Parameter(negative="", help="Read the files and store nothing.")
    ] = False,
    organization: Organization = None,
    json: Json = False,
) -> int:
    """Take in meetings from WebVTT, SRT, text and Fathom-shaped JSON; a repeat changes nothing.

    Example: tidings import meetings recordings/ --company acmecorp.com
    """
    wishes = _check(company, invitee or [], date, title)
    files = find_files(paths)
    async with AsyncExitStack() as stack:
        session = None if dry_run else await stack.enter_async_context(open_session(organization))
        bar = stack.enter_context(open_bar())
        imported, unmatched = await _import(session, files, wishes, bar)
    if json:
        print_json(imported)
    else:
        _show(imported)
    if unmatched and not json:
        say(f"{unmatched} of them name no company; import them again with --company DOMAIN.")
    return 1 if imported.errors else 0


async def _import(
    session: Session | None, files: Sequence[Path], wishes: Wishes, bar: Bar
) -> tuple[Imported, int]:
    """Read the files and store what they hold, `MOST_ITEMS` meetings at once."""
    errors: list[FailedFile] = []
    stored, read, unmatched = Captured(), 0, 0
    waiting: list[MeetingItem] = []
    for place, found in enumerate(_read(files, wishes)):
        bar.at("import", place, len(files))
        if isinstance(found, FailedFile):
            errors.append(found)
            say(found.detail)
            continue
        read += len(found)
        unmatched += sum(not item.names_company for item in found)
        waiting += found
        if len(waiting) >= MOST_ITEMS:
            stored += await _store(session, waiting)
            waiting.clear()
    stored += await _store(session, waiting)
    bar.at("import", len(files), len(files))
    return (
        Imported(
            len(files) - len(errors),
            read,
            stored.created,
            stored.updated,
            stored.unchanged,
            errors,
            session is None,
        ),
        unmatched,
    )


def _read(files: Sequence[Path], wishes: Wishes) -> Iterator[list[MeetingItem] | FailedFile]:
    for path in files:
        try:
            yield read_file(str(path), path.read_bytes(), wishes.for_file(path))
        except FileInvalid as error:
            yield FailedFile(_name(path), error.message)
        except TidingsError as error:
            yield FailedFile(_name(path), f"{_name(path)}: {error.message}")
        except OSError as error:
            yield FailedFile(_name(path), f"{_name(path)}: {error.strerror}.")


async def _store(session: Session | None, items: list[MeetingItem]) -> Captured:
    if session is None:
        return Captured()
    return await capture(session.db, session.tenant, "file", items)


def _check(
    company: str | None, invitees: Sequence[str], date: datetime | None, title: str | None
) -> Wishes:
    for address in invitees:
        if email_domain(address) is None:
            problem = f"{address} is no e-mail address; send someone@acmecorp.com"
            raise InputInvalid(f"invitee: {problem}.", errors=[FieldProblem("invitee", problem)])
    return Wishes(
        company=normalise_domain(company) if company else None,
        invitees=invitees,
        date=date.replace(tzinfo=UTC) if date and date.tzinfo is None else date,
        title=title,
    )


def _show(imported: Imported) -> None:
    if imported.dry_run:
        counts = f"{counted(imported.meetings, 'meeting')} would be imported"
    else:
        counts = (
            f"{imported.created} created, {imported.updated} updated, "
            f"{imported.unchanged} unchanged"
        )
    failed = f"; {counted(len(imported.errors), 'file')} failed" if imported.errors else ""
    print(f"{counts}{failed}.", flush=True)


def _name(path: Path) -> str:
    return str(path).encode("utf-8", "replace").decode()
