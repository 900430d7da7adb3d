"""What the database must be. The deciding is apart from the asking."""

import asyncio
from contextlib import suppress

import msgspec

from tidings.base.ids import uuid7
from tidings.base.settings import Settings
from tidings.cli.doctor.finding import Finding, fail, ok, warn
from tidings.db.addresses import Addresses
from tidings.db.listen import Listener
from tidings.db.migrate import MigrationStatus
from tidings.db.queries import load_queries
from tidings.db.revisions import OLDEST_SERVER
from tidings.db.transaction import Database
from tidings.wiring import worker_connections

sql = load_queries("tidings.cli.doctor")

LISTEN_SECONDS = 5.0
_CHANNEL = "tidings_doctor"

WEB_LISTENERS = 2
"""Connections outside the pools: the hub and the recall cache of the web process."""
WORKER_LISTENERS = 2
"""… and the hub and the queue's wake-up of a worker."""


class ServerFacts(msgspec.Struct, frozen=True):
    """`version` as in server_version_num; `connections` that are not reserved for superusers."""

    version: int
    connections: int


class LoginFacts(msgspec.Struct, frozen=True):
    """A login; the memberships are None when there is no such role."""

    login: str
    is_superuser: bool
    bypasses_row_security: bool
    is_app: bool | None
    is_owner: bool | None


class OpenTable(msgspec.Struct, frozen=True):
    """A table without forced row security."""

    name: str


class Facts(msgspec.Struct, frozen=True):
    """What the service's login sees."""

    server: ServerFacts
    login: LoginFacts
    open_tables: list[str]


async def read_facts(db: Database) -> Facts:
    """Ask the catalog: one round trip."""
    async with db.system_batch(repeatable=True) as batch:
        server = batch.add(sql.server_facts, row=ServerFacts)
        login = batch.add(sql.login_facts, row=LoginFacts)
        tables = batch.add(sql.open_tables, row=OpenTable)
    return Facts(server.one(), login.one(), [table.name for table in tables.rows])


async def read_login(db: Database) -> LoginFacts:
    """Which login this is."""
    async with db.system_batch(repeatable=True) as batch:
        login = batch.add(sql.login_facts, row=LoginFacts)
    return login.one()


def check_version(server: ServerFacts) -> Finding:
    """PostgreSQL is new enough."""
    major = server.version // 10_000
    if server.version < OLDEST_SERVER:
        return fail("PostgreSQL", f"version {major}", "Move to PostgreSQL 15 or newer.")
    return ok("PostgreSQL", f"version {major}")


def check_login(login: LoginFacts) -> Finding:
    """The service logs in as tidings_app, or a member of it, and row security holds for it."""
    too_much = [
        what
        for what, has in (
            ("is a superuser", login.is_superuser),
            ("bypasses row security", login.bypasses_row_security),
            ("is a member of tidings_owner", login.is_owner and not login.is_superuser),
        )
        if has
    ]
    if too_much:
        return fail(
            "service login",
            f"{login.login} {' and '.join(too_much)}: organizations would not be kept apart.",
            "Let TIDINGS_DATABASE_URL log in as tidings_app or a plain member of it.",
        )
    if not login.is_app:
        return fail(
            "service login",
            f"{login.login} is not a member of tidings_app.",
            f"Run `tidings migrate up`, then as an administrator: "
            f"GRANT tidings_app TO {login.login};",
        )
    return ok("service login", f"{login.login}, without more rights than it needs")


def check_owner_login(login: LoginFacts | None) -> Finding:
    """There is a login that may migrate."""
    if login is None:
        return warn(
            "owner login",
            "TIDINGS_OWNER_URL is not set.",
            "Set it where `tidings migrate` runs; the service itself does not need it.",
        )
    if not login.is_owner:
        return fail(
            "owner login",
            f"{login.login} is not a member of tidings_owner.",
            f"As an administrator: GRANT tidings_owner TO {login.login};",
        )
    return ok("owner login", login.login)


def check_migrations(status: MigrationStatus) -> Finding:
    """The schema is the one that this program needs."""
    if status.is_current:
        return ok("migrations", f"at {status.head}")
    return fail(
        "migrations",
        f"at {status.current or 'nothing'}, this program needs {status.head}",
        "Run `tidings migrate up`.",
    )


def check_row_security(open_tables: list[str]) -> Finding:
    """Row security is enabled and forced on every table."""
    if open_tables:
        return fail(
            "row security",
            f"not forced on {', '.join(open_tables)}",
            "Run `tidings migrate verify`: somebody changed the schema by hand.",
        )
    return ok("row security", "enabled and forced on every table")


def connections_needed(settings: Settings, addresses: Addresses) -> tuple[int, int]:
    """Most connections of one web and of one worker process."""
    web, worker = settings.pool_primary_max, worker_connections(settings)
    if addresses.analytics is not None:
        web += settings.pool_analytics_max
    if addresses.listen is None:
        return web, worker
    return web + WEB_LISTENERS, worker + WORKER_LISTENERS


def check_connections(settings: Settings, addresses: Addresses, server: ServerFacts) -> Finding:
    """Web and worker together, with every pool full, find room on the server."""
    web, worker = connections_needed(settings, addresses)
    detail = (
        f"at most {web + worker} of {server.connections} "
        f"({web} of a web process, {worker} of a worker)"
    )
    if web + worker > server.connections:
        return warn(
            "connections",
            detail,
            "Lower TIDINGS_POOL_PRIMARY_MAX, raise the server's max_connections, or put a pooler "
            "between; each further process needs as many again.",
        )
    return ok("connections", detail)


async def check_listen(db: Database, listen_url: str | None) -> Finding:
    """A word sent with NOTIFY arrives at whoever LISTENs."""
    if listen_url is None:
        return warn(
            "LISTEN",
            "TIDINGS_LISTEN_URL is not set: jobs and live pages are polled for, and the recall "
            "cache of web processes is off.",
            "Set it to a direct address of the database, not a pooler's.",
        )
    word, heard = str(uuid7()), asyncio.Event()
    listener = Listener(listen_url, {_CHANNEL: lambda said: heard.set() if said == word else None})
    listening = asyncio.create_task(listener.run())
    try:
        async with asyncio.timeout(LISTEN_SECONDS):
            await listener.connected.wait()
            async with db.system_batch() as batch:
                batch.queue(sql.notify, {"word": word})
            await heard.wait()
    except TimeoutError:
        return fail(
            "LISTEN",
            f"no notification arrived within {LISTEN_SECONDS:.0f} seconds.",
            "Set TIDINGS_LISTEN_URL to a direct address: poolers in transaction mode drop LISTEN.",
        )
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
    return ok("LISTEN", "notifications arrive")
