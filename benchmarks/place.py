"""A PostgreSQL of our own for a benchmark: the embedded server with its default durability."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import psycopg

from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.db.embedded import Cluster, EmbeddedServer
from tidings.db.migrate import migrate_up
from tidings.db.pools import primary_pool
from tidings.db.roles import allow_login, ensure_roles
from tidings.db.transaction import Database
from tidings.tenancy.organizations import create_organization

_PASSWORD = "of-the-benchmarks"
_ROLES = ("tidings_owner", "tidings_app", "tidings_readonly")


@dataclass(frozen=True)
class Place:
    """A migrated database `tidings`, an empty one `peer`, and the superuser's way to both."""

    cluster: Cluster
    home: Path

    def url(self, database: str = "tidings", role: str = "tidings_app") -> str:
        """A libpq URL over the socket; the role `postgres` may do everything."""
        password = self.cluster.superuser_password if role == "postgres" else _PASSWORD
        return self.cluster.url(role, password, database)

    def settings(self, **changes: object) -> Settings:
        """The settings that a process on this database would have."""
        given = {"home": self.home, "database_url": self.url(), "listen_url": self.url()} | changes
        return Settings(**given, _env_file=None)  # type: ignore[arg-type, call-arg]

    @asynccontextmanager
    async def database(self, **changes: object) -> AsyncIterator[Database]:
        """Our doors to it, as a process opens them."""
        database = Database(primary_pool(self.settings(**changes), self.url()))
        await database.open()
        try:
            yield database
        finally:
            await database.close()


@asynccontextmanager
async def open_place() -> AsyncIterator[Place]:
    """Start the server in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedServer(Path(folder) / "home")
        cluster = await server.start()
        try:
            place = Place(cluster, Path(folder) / "home")
            await asyncio.to_thread(_prepare, place)
            yield place
        finally:
            await server.destroy()


async def new_tenant(database: Database) -> Tenant:
    """An organization of its own, acting as its owner."""
    name = uuid4().hex
    made = await create_organization(database, name, f"{name}@example.com")
    return Tenant(UUID(str(made.organization_id)), UUID(str(made.user_id)), "owner")


def _prepare(place: Place) -> None:
    with psycopg.connect(place.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE tidings")
        connection.execute("CREATE DATABASE peer")
        ensure_roles(connection)
        allow_login(connection, dict.fromkeys(_ROLES, _PASSWORD))
    migrate_up(place.url("tidings", "postgres"))
