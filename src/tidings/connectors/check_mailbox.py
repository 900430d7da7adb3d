"""The job `mailbox.check`: what came into a mailbox since, taken into its channel once.

Letters are fetched with no transaction open. One transaction then takes a batch in and moves the
point up to which was looked: a kill before its commit leaves nothing, and after it there is nothing
left to do. Of two checks at once the slower one finds the point moved and ends.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from email.utils import parseaddr
from typing import Any, Protocol
from uuid import UUID

import msgspec
import structlog

from tidings.base.errors import (
    RowMissing,
    SecretUnreadable,
    SourceRefused,
    SourceUnavailable,
    SourceUnconfigured,
    StateConflict,
    TidingsError,
)
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.connectors.imap import Batch, Folder, Letter, MailServer, open_folder
from tidings.connectors.mailboxes import (
    KIND,
    CheckArgs,
    Mailbox,
    Position,
    as_mailbox,
    secret_name,
    server_of,
)
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.messages.formats.entry import Defaults, RowError
from tidings.messages.formats.mail import mail_entry
from tidings.messages.ingest import Ingested, ingest_in
from tidings.messages.item import MessageItem
from tidings.queue.context import JobContext
from tidings.queue.enqueue import NewJob, enqueue_many
from tidings.tenancy.secret_keys import SecretKeys
from tidings.tenancy.secrets import open_secret

sql = load_queries("tidings.connectors")
log = structlog.get_logger(__name__)

LOOK = 15.0
"""Seconds between two looks for mailboxes that are due."""
EVERY = timedelta(minutes=1)
"""Between two checks of one mailbox; after failures longer, up to an hour."""
MOST_DUE, MOST_BATCHES, MOST_REFUSALS = 500, 50, 3
_DEADLINE = timedelta(minutes=10)


class Checked(msgspec.Struct, frozen=True):
    """What a check came to; `unreadable` letters were passed over."""

    created: int = 0
    duplicates: int = 0
    unreadable: int = 0


class OpenFolder(Protocol):
    """`open_folder`, or what stands for it."""

    def __call__(
        self, server: MailServer, password: str, *, allow_private: bool
    ) -> AbstractAsyncContextManager[Folder]: ...


class _Moved(Exception):
    """Somebody else took these in, or changed the mailbox."""


async def look_for_mail(db: Database) -> int:
    """Enqueue checks of the mailboxes that are due; how many.

    They are put off by the time between two checks, so that one whose worker dies is soon due
    again; while its job lives, the unique key keeps a second one away.
    """
    async with db.system_batch() as batch:
        found = batch.add(sql.due_mailboxes, {"most": MOST_DUE, "lease": EVERY})
    due: defaultdict[tuple[UUID, UUID], list[UUID]] = defaultdict(list)
    for row in found.rows:
        if row["channel_id"] is not None:
            who = row["user_id"] or row["channel_id"]
            due[row["organization_id"], who].append(row["channel_id"])
    for (organization_id, user_id), channels in due.items():
        async with db.tenant_batch(Tenant(organization_id, user_id, "service")) as jobs:
            enqueue_many(jobs, [_job(channel_id) for channel_id in channels])
    return sum(map(len, due.values()))


def _job(channel_id: UUID) -> NewJob:
    key = f"{KIND}:{channel_id}"
    return NewJob(
        kind=KIND,
        args=CheckArgs(channel_id),
        unique_key=key,
        concurrency_key=key,
        max_attempts=1,  # the schedule tries again
        deadline=_DEADLINE,
    )


class Checker:
    """Fetches mail; built once by the wiring."""

    def __init__(
        self,
        db: Database,
        keys: SecretKeys,
        settings: Settings,
        nudge: Callable[[], None],
        *,
        opening: OpenFolder = open_folder,
    ) -> None:
        """`nudge` wakes the relay, so that who reads a channel is told at once."""
        self._db = db
        self._keys = keys
        self._allow_private = settings.gateway_private
        sender = parseaddr(settings.smtp_from or "")[1].lower()
        self._ours = frozenset([sender] if sender else [])
        self._nudge = nudge
        self._open = opening

    async def run(self, context: JobContext, args: dict[str, Any]) -> Checked:
        """Check one mailbox. What goes wrong outside is noted there; a run fails with it too."""
        channel_id = msgspec.convert(args, CheckArgs).channel_id
        try:
            return await self.check(context.tenant, channel_id, context)
        except (SourceUnavailable, SecretUnreadable, SourceUnconfigured):
            if context.run_id is not None:
                raise
            return Checked()

    async def check(
        self, tenant: Tenant, channel_id: UUID, context: JobContext | None = None
    ) -> Checked:
        """Take in what is new, some batches of it, and note how that went.

        Raises `SourceRefused`, `SourceUnavailable`, `SecretUnreadable`, `SourceUnconfigured`.
        """
        tenant = tenant.as_service()
        async with self._db.tenant_batch(tenant, repeatable=True) as batch:
            found = batch.add(sql.get_mailbox, {"channel_id": channel_id})
        row = found.optional()
        if row is None or row["host"] is None or row["is_archived"] or row["kind"] != "email":
            return Checked()
        work = _Work(self, tenant, as_mailbox(channel_id, row), msgspec.convert(row, Position))
        try:
            password = await self._password(tenant, channel_id)
            server = server_of(work.mailbox)
            async with self._open(server, password, allow_private=self._allow_private) as folder:
                await work.take_all(folder, context)
        except (SourceUnavailable, SecretUnreadable, SourceUnconfigured) as error:
            await work.note(error)
            raise
        await work.note(None)
        return work.done

    async def _password(self, tenant: Tenant, channel_id: UUID) -> str:
        password = await open_secret(self._db, self._keys, tenant, secret_name(channel_id))
        if password is None:
            raise SourceUnconfigured("The mailbox has no password; set it again.")
        return password


class _Work:
    """One check under way."""

    def __init__(
        self, checker: Checker, tenant: Tenant, mailbox: Mailbox, position: Position
    ) -> None:
        self.mailbox = mailbox
        self.done = Checked()
        self._checker = checker
        self._db = checker._db
        self._tenant = tenant
        self._position = position
        self._has_more = False
        self._problem: str | None = None
        own = {mailbox.user.lower(), *mailbox.own_addresses}
        self._defaults = Defaults(ours=checker._ours | {one for one in own if "@" in one})

    async def take_all(self, folder: Folder, context: JobContext | None) -> None:
        """Batch after batch, until there is no more, or it is enough for one job."""
        is_known = folder.uid_validity == self._position.uid_validity
        last_uid = self._position.last_uid if is_known else 0
        for _ in range(MOST_BATCHES):
            batch = await folder.after(last_uid, self.mailbox.since)
            try:
                await self._take(folder.uid_validity, batch)
            except (_Moved, RowMissing, StateConflict):  # or the channel takes no mail any more
                return
            last_uid, self._has_more = batch.last_uid, batch.has_more
            if not batch.has_more:
                return
            if context is not None:
                done = self.done.created + self.done.duplicates
                await context.progress("mail", done, done)

    async def _take(self, uid_validity: int, batch: Batch) -> None:
        at = Position(self._position.version, uid_validity, batch.last_uid)
        if at == self._position and not batch.letters:
            return
        items, problems = await asyncio.to_thread(_read, batch.letters, self._defaults)
        taken = Ingested()
        async with self._db.tenant_transaction(self._tenant) as transaction:
            if items:
                taken = await ingest_in(transaction, self.mailbox.channel_id, items)
            params = {
                "channel_id": self.mailbox.channel_id,
                "version": at.version,
                "uid_validity": at.uid_validity,
                "last_uid": at.last_uid,
                "old_validity": self._position.uid_validity,
                "old_uid": self._position.last_uid,
            }
            if not await transaction.fetch(sql.move_mailbox, params):
                raise _Moved
        self._position = at
        self.done = Checked(
            self.done.created + taken.created,
            self.done.duplicates + taken.duplicates,
            self.done.unreadable + len(problems),
        )
        if problems:
            self._problem = f"{problems[0].place} {problems[0].detail}"
            log.warning("mail not taken in", channel_id=str(self.mailbox.channel_id))
        if taken.created:
            self._checker._nudge()

    async def note(self, error: TidingsError | None) -> None:
        """Write down how it went, for a person and for the schedule."""
        params = {
            "channel_id": self.mailbox.channel_id,
            "version": self._position.version,
            "problem": (error.message if error else self._problem or "")[:1000] or None,
            "failed": error is not None,
            "refused": isinstance(error, SourceRefused),
            "most_refusals": MOST_REFUSALS,
            "every": EVERY,
            "has_more": self._has_more,
        }
        async with self._db.tenant_batch(self._tenant) as batch:
            batch.queue(sql.note_check, params)


def _read(
    letters: Sequence[Letter], defaults: Defaults
) -> tuple[list[MessageItem], list[RowError]]:
    read = [
        mail_entry(f"The mail with UID {one.uid}", one.raw, defaults, one.received)
        for one in letters
    ]
    return (
        [one for one in read if isinstance(one, MessageItem)],
        [one for one in read if isinstance(one, RowError)],
    )
