"""Mailboxes: where the mail of a channel is fetched, set by admins."""

import re
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from tidings.base.errors import (
    InputInvalid,
    RoleForbidden,
    RowMissing,
    StateConflict,
)
from tidings.base.tenant import Tenant
from tidings.base.text import check_text
from tidings.connectors.imap import PORTS, MailServer, Tls
from tidings.connectors.targets import check_host
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Row, Transaction
from tidings.messages.channels import NO_CHANNEL
from tidings.queue.runs import StartedRun, start_run
from tidings.tenancy import audit
from tidings.tenancy.secret_keys import SecretKeys
from tidings.tenancy.secrets import put_secret

sql = load_queries("tidings.connectors")

KIND = "mailbox.check"
"""The kind of the jobs and runs that fetch."""
NO_MAILBOX = "This channel has no mailbox."

_ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class MailboxSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where mail is fetched. Without a `password` the stored one stays.

    `port` is 993, or 143 where `tls` is not "implicit". What comes from `user` or one of
    `own_addresses` went out. With `since`, mail that the server took before is passed over.
    """

    host: str
    user: str
    password: str | None = None
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None
    tls: Tls = "implicit"
    folder: str = "INBOX"
    own_addresses: list[str] = []
    since: datetime | None = None


class Mailbox(msgspec.Struct, frozen=True):
    """A channel's mailbox as it is shown; `paused_at` is when it stopped until somebody mends it.

    `failures` counts checks in a row that failed, `last_error` says why.
    """

    channel_id: UUID
    host: str
    port: int
    tls: Tls
    user: str
    folder: str
    own_addresses: list[str]
    since: datetime | None
    failures: int
    last_error: str | None
    last_checked_at: datetime | None
    next_check_at: datetime
    paused_at: datetime | None
    created_at: datetime
    updated_at: datetime


class Position(msgspec.Struct, frozen=True):
    """How far the mail of a folder was looked at, at which version of its settings."""

    version: int
    uid_validity: int | None
    last_uid: int


class CheckArgs(msgspec.Struct, frozen=True):
    """The arguments of a check."""

    channel_id: UUID


async def get_mailbox(db: Database, tenant: Tenant, channel_id: UUID) -> Mailbox:
    """A channel's mailbox, for its members and admins. Raises `RowMissing`."""
    mailbox = await find_mailbox(db, tenant, channel_id)
    if mailbox is None:
        raise RowMissing(NO_MAILBOX)
    return mailbox


async def find_mailbox(db: Database, tenant: Tenant, channel_id: UUID) -> Mailbox | None:
    """As `get_mailbox`, None where a channel has none. Raises `RowMissing` for no channel."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.get_mailbox, {"channel_id": channel_id})
    row = found.optional()
    if row is None:
        raise RowMissing(NO_CHANNEL)
    return None if row["host"] is None else as_mailbox(channel_id, row)


async def set_mailbox(
    db: Database,
    keys: SecretKeys,
    tenant: Tenant,
    channel_id: UUID,
    wanted: MailboxSettings,
    *,
    allow_private: bool,
    kind: audit.ActorKind = "person",
) -> Mailbox:
    """Set or change a channel's mailbox, which is checked at once. For admins.

    Raises `RowMissing`, `StateConflict` for a channel that is not of kind email, `InputInvalid`,
    `RoleForbidden`.
    """
    _require_admin(tenant)
    wanted = _check(wanted, allow_private=allow_private)
    params = msgspec.structs.asdict(wanted) | {"channel_id": channel_id, "username": wanted.user}
    del params["password"], params["user"]
    async with db.tenant_transaction(tenant) as transaction:
        row = await transaction.optional(sql.get_mailbox, {"channel_id": channel_id})
        if row is None:
            raise RowMissing(NO_CHANNEL)
        if row["kind"] != "email":
            raise StateConflict("Only a channel of kind email has a mailbox.")
        if wanted.password is not None:
            put_secret(
                transaction, keys, tenant, secret_name(channel_id), wanted.password, kind=kind
            )
        elif _server_of(row) != (wanted.host, wanted.port, wanted.tls, wanted.user):
            # Else whoever may change the host could have the password sent to their own.
            raise InputInvalid.of("password", "is needed: the server or the user is another one")
        transaction.queue(sql.set_mailbox, params)
        said = {"host": wanted.host, "user": wanted.user, "folder": wanted.folder}
        audit.record(transaction, "mailbox.set", f"channel:{channel_id}", said, kind=kind)
        row = await transaction.one(sql.get_mailbox, {"channel_id": channel_id})
    return as_mailbox(channel_id, row)


async def delete_mailbox(
    db: Database, tenant: Tenant, channel_id: UUID, *, kind: audit.ActorKind = "person"
) -> None:
    """End a channel's mailbox and forget its password; its messages stay. For admins.

    Raises `RowMissing`, `RoleForbidden`.
    """
    _require_admin(tenant)
    async with db.tenant_transaction(tenant) as transaction:
        if await transaction.execute(sql.delete_mailbox, {"channel_id": channel_id}) == 0:
            raise RowMissing(NO_MAILBOX)
        audit.record(transaction, "mailbox.deleted", f"channel:{channel_id}", kind=kind)


async def start_check(transaction: Transaction, channel_id: UUID) -> StartedRun:
    """A run that fetches now, or the one under way; what was paused goes on. For admins.

    Raises `RowMissing`, `RoleForbidden`.
    """
    _require_admin(transaction.tenant)
    if await transaction.optional(sql.wake_mailbox, {"channel_id": channel_id}) is None:
        raise RowMissing(NO_MAILBOX)
    return await start_run(
        transaction,
        kind=KIND,
        subject=str(channel_id),
        args=CheckArgs(channel_id),
        max_attempts=1,
    )


def secret_name(channel_id: UUID) -> str:
    """Under which name a mailbox's password is stored."""
    return f"mailbox_password:{channel_id}"


def as_mailbox(channel_id: UUID, row: Row) -> Mailbox:
    """A row of `get_mailbox`."""
    return msgspec.convert(row | {"channel_id": channel_id, "user": row["username"]}, Mailbox)


def server_of(mailbox: Mailbox) -> MailServer:
    """Where it is fetched."""
    return MailServer(mailbox.host, mailbox.port, mailbox.tls, mailbox.user, mailbox.folder)


def _server_of(row: Row) -> tuple[str | None, int | None, str | None, str | None]:
    return row["host"], row["port"], row["tls"], row["username"]


def _check(wanted: MailboxSettings, *, allow_private: bool) -> MailboxSettings:
    host = check_host(wanted.host.strip().lower(), allow_private=allow_private)
    for field, value, longest in (
        ("user", wanted.user, 320),
        ("folder", wanted.folder, 300),
        ("password", wanted.password or "-", 1000),
    ):
        check_text(field, value, longest=longest)
        if not value.strip():
            raise InputInvalid.of(field, "is empty")
        if _CONTROL.search(value):  # a line's end would begin another command
            raise InputInvalid.of(field, "has a character that no such text has")
    if wanted.password == "":
        raise InputInvalid.of("password", "is empty")
    if wanted.tls == "never" and not allow_private:
        raise InputInvalid.of("tls", "must be implicit or starttls, or the password could be read")
    if wanted.tls == "starttls" and wanted.port == PORTS["implicit"]:
        raise InputInvalid.of("port", "is for TLS from the beginning; starttls is at 143")
    own = sorted({address.strip().lower() for address in wanted.own_addresses})
    if len(own) > 50 or not all(len(one) <= 320 and _ADDRESS.fullmatch(one) for one in own):
        raise InputInvalid.of("own_addresses", "must be up to 50 addresses such as us@acme.example")
    if wanted.since is not None and wanted.since.tzinfo is None:
        raise InputInvalid.of("since", "must say its zone, such as 2026-11-21T00:00:00Z")
    return msgspec.structs.replace(
        wanted,
        host=host,
        user=wanted.user.strip(),
        folder=wanted.folder.strip(),
        port=wanted.port or PORTS[wanted.tls],
        own_addresses=own,
    )


def _require_admin(tenant: Tenant) -> None:
    if not tenant.is_admin:
        raise RoleForbidden("Only an admin or owner may change mailboxes.")
