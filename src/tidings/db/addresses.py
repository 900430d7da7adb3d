"""Where the database is: from the settings, or the embedded server started for this process."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
import psycopg

from tidings.base.errors import SettingInvalid
from tidings.base.settings import Settings
from tidings.db.embedded import Cluster, EmbeddedServer
from tidings.db.roles import allow_login, ensure_roles

DATABASE = "tidings"
_LOGINS = ("tidings_owner", "tidings_app", "tidings_readonly")


class Addresses(msgspec.Struct, frozen=True):
    """libpq URLs by purpose; they hold passwords, so never log them."""

    app: str
    owner: str | None
    listen: str | None
    analytics: str | None

    def require_owner(self) -> str:
        """The owner's address. Raises `SettingInvalid` that says how to set it."""
        if self.owner is None:
            raise SettingInvalid(
                "Set TIDINGS_OWNER_URL to an address of the same database whose login may migrate "
                "it (a member of tidings_owner)."
            )
        return self.owner


@asynccontextmanager
async def open_addresses(settings: Settings) -> AsyncIterator[Addresses]:
    """The addresses for the block; the embedded server runs at least as long as it."""
    if settings.database_url is not None:
        yield Addresses(
            settings.database_url,
            settings.owner_url,
            settings.listen_url,
            settings.analytics_url,
        )
        return
    server = EmbeddedServer(settings.home)
    cluster = await server.start()
    try:
        yield _embedded(settings.home, cluster)
    finally:
        await server.stop()


def _embedded(home: Path, cluster: Cluster) -> Addresses:
    """Database, roles and their passwords, made once; the passwords are kept in the home folder."""
    passwords = {role: _password(home / "postgres" / f"{role}.password") for role in _LOGINS}
    superuser = (cluster.superuser, cluster.superuser_password)
    with psycopg.connect(cluster.url(*superuser, "postgres"), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if found.fetchone() is None:
            connection.execute(f"CREATE DATABASE {DATABASE}")
    with psycopg.connect(cluster.url(*superuser, DATABASE), autocommit=True) as connection:
        ensure_roles(connection)
        allow_login(connection, passwords)
    app = cluster.url("tidings_app", passwords["tidings_app"], DATABASE)
    return Addresses(
        app,
        cluster.url("tidings_owner", passwords["tidings_owner"], DATABASE),
        app,
        cluster.url("tidings_readonly", passwords["tidings_readonly"], DATABASE),
    )


def _password(path: Path) -> str:
    """The password in a file of 0600, made when it is missing; of two at once, one is kept."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    draft.touch(mode=0o600)
    try:
        draft.write_text(secrets.token_urlsafe(32), encoding="ascii")
        # A link fails when the name is taken; the other one's password is as good.
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()
    return path.read_text(encoding="ascii")
