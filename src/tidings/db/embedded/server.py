"""One embedded server per home, shared by every process that starts it.

Starting and stopping block (processes, file locks), so they run in a thread and the event loop
goes on.
"""

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import msgspec
import psycopg

from tidings.base.errors import DatabaseUnavailable
from tidings.db.embedded import control, folder, lock
from tidings.db.embedded.account import current_account
from tidings.db.embedded.create import SUPERUSER, create
from tidings.db.embedded.postmaster import answers, read_postmaster
from tidings.db.embedded.programs import Programs, find_programs

T = TypeVar("T")
_TURN = 120.0  # seconds to wait while another process starts or stops the server


class Cluster(msgspec.Struct, frozen=True):
    """A running server, and how its superuser reaches it."""

    socket_dir: str
    port: int
    superuser: str
    superuser_password: str
    version: int  # the major release

    def url(self, user: str, password: str, database: str) -> str:
        """The libpq URL of `database` for `user`, over the socket."""
        host = quote(self.socket_dir, safe="")
        who = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"postgresql://{who}@{host}:{self.port}/{quote(database, safe='')}"


class Status(msgspec.Struct, frozen=True):
    """What can be said of a server without starting it."""

    running: bool
    pid: int | None = None
    version: int | None = None
    data: str | None = None
    log: str | None = None
    socket_dir: str | None = None


class EmbeddedServer:
    """The server of one home. Any number of processes may start it; they share it."""

    def __init__(self, home: Path, *, throwaway: bool = False) -> None:
        """`home` is TIDINGS_HOME; `throwaway` gives up durability for speed, for tests."""
        self._home = home.expanduser().resolve()
        self._throwaway = throwaway
        self._joined: int | None = None
        self._place: tuple[folder.Layout, Programs] | None = None

    async def start(self) -> Cluster:
        """Start the server, or join the one that runs.

        `DatabaseUnavailable` says why it could not, with the server's last words.
        """
        try:
            return await _in_thread(self._start)
        except asyncio.CancelledError:
            await self.stop()
            raise

    async def stop(self, *, force: bool = False) -> bool:
        """Leave the server, and stop it when nobody else uses it, or by `force`.

        Without `force` this does nothing unless this object started or joined it.
        Returns whether it stopped the server.
        """
        return await _in_thread(lambda: self._stop(force=force))

    async def status(self) -> Status:
        """How the server is; starts and makes nothing."""
        return await _in_thread(self._status)

    async def destroy(self) -> None:
        """Stop the server, whoever uses it, and delete its data. There is no way back."""
        await _in_thread(self._destroy)

    def _start(self) -> Cluster:
        programs = find_programs(current_account())
        root = folder.open_root(self._home)
        with lock.starting(root, _TURN):
            layout = folder.make_layout(root, programs.account, programs.major)
            password = create(layout, programs, throwaway=self._throwaway)
            running = control.bring_up(layout, programs, throwaway=self._throwaway)
            cluster = Cluster(running.socket_dir, folder.PORT, SUPERUSER, password, programs.major)
            try:
                _check(cluster, layout)
            except BaseException:
                if self._joined is None and not lock.in_use(root):
                    control.take_down(layout, programs)
                raise
            if self._joined is None:
                self._joined = lock.join(root)
            self._place = layout, programs
            return cluster

    def _stop(self, *, force: bool) -> bool:
        joined, self._joined = self._joined, None
        if joined is None and not force:
            return False
        if joined is not None:
            os.close(joined)
        found = self._find() or self._place
        if found is None:
            return False
        layout, programs = found
        if not layout.root.is_dir():
            # Somebody deleted the home under the server: nobody else will ever find it.
            return control.take_down(layout, programs)
        with lock.starting(layout.root, _TURN):
            return (force or not lock.in_use(layout.root)) and control.take_down(layout, programs)

    def _status(self) -> Status:
        found = self._find()
        if found is None:
            return Status(running=False)
        layout, programs = found
        server = read_postmaster(layout.data)
        return Status(
            running=server is not None and server.is_ready and answers(server.socket_dir),
            pid=server.pid if server else None,
            version=programs.major,
            data=str(layout.data),
            log=str(layout.log),
            socket_dir=server.socket_dir if server else None,
        )

    def _destroy(self) -> None:
        self._stop(force=True)
        found = self._find()
        if found is None:
            return
        layout, programs = found
        with lock.starting(layout.root, _TURN):
            control.take_down(layout, programs)
            shutil.rmtree(layout.release if layout.store == layout.root else layout.store)
            for path in (layout.root / "id", layout.password):
                path.unlink(missing_ok=True)

    def _find(self) -> tuple[folder.Layout, Programs] | None:
        """Where the server of the home is, or None when it was never started."""
        root = self._home / "postgres"
        if not root.is_dir():
            return None
        programs = find_programs(current_account())
        layout = folder.layout_of(root, programs.account, programs.major)
        if layout is None or not layout.release.is_dir():
            return None
        return layout, programs


async def _in_thread(call: Callable[[], T]) -> T:
    """Run `call` in a thread, to its end even when the caller is cancelled meanwhile."""
    work = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        work.exception()  # looked at, or the loop complains that nobody did
        raise
    except OSError as error:
        raise DatabaseUnavailable(
            f"The embedded PostgreSQL cannot use its files: {error}. Correct that and start "
            "again, or set TIDINGS_DATABASE_URL to a server of yours."
        ) from error


def _check(cluster: Cluster, layout: folder.Layout) -> None:
    """Ask the server itself whether it is the one we mean and lets us in."""
    url = cluster.url(cluster.superuser, cluster.superuser_password, "postgres")
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
    except psycopg.Error as error:
        raise control.failure(layout, f"does not answer: {error}") from error
    if row is None or Path(row[0]).resolve() != layout.data.resolve():
        raise control.failure(layout, f"is another one, of {row and row[0]}")
