"""What a command works with: the database, started when none runs, and who it acts as."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Annotated, TypeVar

from cyclopts import Parameter

from tidings.base.errors import (
    DatabaseUnavailable,
    MigrationBroken,
    SettingInvalid,
    TidingsError,
)
from tidings.base.logs import configure_logs
from tidings.base.settings import Settings, load_settings
from tidings.base.tenant import Tenant
from tidings.cli.organization import find_organization
from tidings.db.addresses import Addresses, open_addresses
from tidings.db.failures import translate
from tidings.db.migrate import migrate_up, migration_status
from tidings.db.transaction import Database
from tidings.kv.store import Kv
from tidings.realtime.subscribe import Hub
from tidings.wiring import System, open_system, topic_checks

Organization = Annotated[
    str | None,
    Parameter(name="--organization", help="Slug of the organization to act in, as its owner."),
]

T = TypeVar("T")


@dataclass(frozen=True)
class Session:
    """One command's parts."""

    system: System
    tenant: Tenant

    @property
    def db(self) -> Database:
        """The doors to the database."""
        return self.system.db

    @property
    def kv(self) -> Kv:
        """The KV store; to watch it, use the hub of `wiring.realtime`."""
        return Kv(self.db, Hub(self.db, topic_checks(self.db)))


def command_settings() -> Settings:
    """The settings of a command: as of any process, but few connections, and warnings alone."""
    settings = load_settings()
    changes: dict[str, object] = {"pool_primary_min": 1}
    if "log_level" not in settings.model_fields_set:
        changes["log_level"] = "warning"
    settings = settings.model_copy(update=changes)
    configure_logs(settings)
    return settings


@asynccontextmanager
async def open_session(organization: str | None = None) -> AsyncIterator[Session]:
    """The database and a tenant: the owner of the default organization, or of the one named.

    Raises `MigrationBroken` when the schema is not the one needed; only the embedded database that
    was just made is migrated by itself. Raises `RowMissing` for an unknown organization.
    """
    async with open_command_system() as system:
        found = await find_organization(system.db, organization)
        yield Session(system, found.tenant)


@asynccontextmanager
async def open_command_system() -> AsyncIterator[System]:
    """The database alone, for what acts in no organization. Raises `MigrationBroken`."""
    settings = command_settings()
    with ending_on_sigterm():
        async with open_addresses(settings) as addresses:
            await _require_schema(settings, addresses)
            async with open_system(settings, addresses) as system:
                yield system


async def ask_database(call: Callable[..., T], *args: object) -> T:
    """Run a blocking call of `tidings.db` in a thread; its errors are those of base/errors.py."""
    try:
        return await asyncio.to_thread(call, *args)
    except TidingsError:
        raise
    except Exception as error:
        # SQLAlchemy wraps what the driver raised.
        cause = getattr(error, "orig", None) or error
        known = translate(cause)
        why = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
        if isinstance(known, DatabaseUnavailable):
            raise DatabaseUnavailable(f"The database cannot be reached: {why}") from error
        if known is cause and getattr(cause, "sqlstate", "") is None:
            # The driver could not read the address; its message may hold pieces of the password.
            raise SettingInvalid(
                "The database's address is not valid; write it as "
                "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, special characters "
                "percent-encoded."
            ) from None
        raise known from error


@contextmanager
def ending_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end the command as Ctrl-C does: with its clean-up."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


async def _require_schema(settings: Settings, addresses: Addresses) -> None:
    status = await ask_database(migration_status, addresses.app)
    if status.current is None and settings.is_embedded:
        # Nobody else can have been using it: there is nothing in it yet.
        await ask_database(migrate_up, addresses.require_owner())
    elif not status.is_current:
        raise MigrationBroken(
            f"The database is at revision {status.current or 'nothing'}, this program needs "
            f"{status.head}; run `tidings migrate up`."
        )
