"""The embedded PostgreSQL, on real servers."""
# ruff: noqa: ASYNC240 - nothing else waits for this loop while a test looks at a folder

import asyncio
import contextlib
import json
import os
import pwd
import select
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

import tidings
from tidings.base.errors import DatabaseUnavailable
from tidings.db.embedded import Cluster, EmbeddedServer, account, control, folder, lock, programs
from tidings.db.embedded.account import Account, current_account
from tidings.db.embedded.postmaster import (
    clear_stale,
    last_words,
    processes_of,
    read_postmaster,
    read_tail,
)

ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not ROOT, reason="needs root: it gives the server another account")

# Starts the server of a home, says what it found, and stops it when its input ends.
HOLDER = """
import asyncio, json, sys
from pathlib import Path
from tidings.db.embedded import EmbeddedServer
async def main():
    server = EmbeddedServer(Path(sys.argv[1]), throwaway=True)
    cluster = await server.start()
    pid = (await server.status()).pid
    print(json.dumps({"pid": pid, "socket": cluster.socket_dir}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps({"stopped": await server.stop()}), flush=True)
asyncio.run(main())
"""
PARENTS = list(Path(sysconfig.get_path("purelib")).parents)
SOURCE = str(Path(tidings.__file__).parent.parent)


def connect(cluster: Cluster, password: str | None = None) -> psycopg.Connection:
    url = cluster.url(cluster.superuser, password or cluster.superuser_password, "postgres")
    return psycopg.connect(url, autocommit=True)


def ask(cluster: Cluster, query: str) -> object:
    with connect(cluster) as connection:
        return connection.execute(query).fetchone()[0]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def wait_end(pid: int) -> None:
    """Wait until a process has ended, reaped by its parent or not."""
    try:
        watch = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except AttributeError:  # not Linux
        psutil.Process(pid).wait(timeout=60)
        return
    try:
        assert select.select([watch], [], [], 60)[0], f"process {pid} is still there"
    finally:
        os.close(watch)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_end(pid)


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tidings-home-") as parent:
        yield Path(parent).resolve() / "home"


@pytest.fixture
async def fresh(home: Path) -> AsyncIterator[EmbeddedServer]:
    """A server that nobody started yet, in `home`; nothing of it is left afterwards."""
    server = EmbeddedServer(home, throwaway=True)
    yield server
    await leave_nothing(server)


@pytest.fixture(scope="module")
async def used_home() -> AsyncIterator[Path]:
    """A home whose cluster exists."""
    with tempfile.TemporaryDirectory(prefix="tidings-home-") as parent:
        server = EmbeddedServer(Path(parent) / "home", throwaway=True)
        await server.start()
        await server.stop()
        yield Path(parent).resolve() / "home"
        await leave_nothing(server)


@pytest.fixture
async def server(used_home: Path) -> AsyncIterator[EmbeddedServer]:
    """A stopped server whose cluster exists, in `used_home`; each test leaves it startable."""
    server = EmbeddedServer(used_home, throwaway=True)
    yield server
    await server.stop(force=True)


@pytest.fixture(scope="module")
async def durable() -> AsyncIterator[tuple[EmbeddedServer, Cluster, Path]]:
    """A running server as users have it, for tests that leave it as it was."""
    with tempfile.TemporaryDirectory(prefix="tidings-home-") as parent:
        home = Path(parent).resolve() / "home"
        before = {path: mode(path) for path in PARENTS + list(home.parents)}
        server = EmbeddedServer(home)
        try:
            cluster = await server.start()
            assert {path: mode(path) for path in before} == before
            yield server, cluster, home
        finally:
            await leave_nothing(server)
        assert {path: mode(path) for path in before} == before


def wait_all_end(data: Path) -> None:
    """Wait for what a stopped server leaves: its logger goes once nobody can write any more."""
    for pid in processes_of(data):
        wait_end(pid)
    assert processes_of(data) == []


async def leave_nothing(server: EmbeddedServer) -> None:
    data = (await server.status()).data
    await server.stop(force=True)
    if data:
        wait_all_end(Path(data))
    await server.destroy()
    assert not data or not Path(data).exists()
    assert (await server.status()).running is False


async def data_of(server: EmbeddedServer) -> Path:
    data = (await server.status()).data
    assert data is not None
    return Path(data)


@contextlib.asynccontextmanager
async def holder(home: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict]]:
    """Another process that has the server of `home` in use."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", HOLDER, str(home)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [SOURCE, *sys.path]))},
    )
    try:
        yield process, json.loads(await process.stdout.readline())
    finally:
        if process.returncode is None:
            process.stdin.close()
            await process.wait()


async def release(process: asyncio.subprocess.Process) -> bool:
    """Let a holder leave; whether it stopped the server."""
    process.stdin.close()
    answer = json.loads(await process.stdout.readline())
    await process.wait()
    return answer["stopped"]


async def test_first_start_second_start_and_stop(fresh: EmbeddedServer, home: Path) -> None:
    assert (await fresh.status()).running is False
    assert not home.exists()
    cluster = await fresh.start()
    assert (cluster.superuser, cluster.version) == ("postgres", 18)
    assert ask(cluster, "SELECT current_user") == "postgres"
    first = await fresh.status()
    assert first.running
    assert first.socket_dir == cluster.socket_dir
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        assert ask(cluster, f"SHOW {name}") == "off", "this one is throwaway"
    assert await fresh.start() == cluster
    assert (await fresh.status()).pid == first.pid
    assert await fresh.stop() is True
    wait_end(first.pid)
    assert (await fresh.status()).running is False
    assert await fresh.stop() is False
    assert await fresh.start() == cluster
    assert (await fresh.status()).pid != first.pid


def test_cluster_is_utf8_checked_and_durable_by_default(
    durable: tuple[EmbeddedServer, Cluster, Path],
) -> None:
    expected = {
        "server_encoding": "UTF8",
        "data_checksums": "on",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "listen_addresses": "",
        "wal_level": "minimal",
        "max_connections": "100",
        "jit": "off",
        "TimeZone": "UTC",
        "password_encryption": "scram-sha-256",
    }
    with connect(durable[1]) as connection:
        for name, value in expected.items():
            assert connection.execute(f"SHOW {name}").fetchone() == (value,), name
        provider = "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'postgres'"
        assert connection.execute(provider).fetchone() == ("b", "C.UTF-8")
        rules = "SELECT DISTINCT auth_method FROM pg_hba_file_rules"
        assert connection.execute(rules).fetchall() == [("scram-sha-256",)]


async def test_only_the_owner_can_open_anything(
    durable: tuple[EmbeddedServer, Cluster, Path],
) -> None:
    server, cluster, home = durable
    data = await data_of(server)
    assert mode(home) == 0o700
    assert mode(home / "postgres") == 0o700
    assert mode(home / "postgres" / "password") == 0o600
    assert mode(Path(cluster.socket_dir)) == 0o700
    assert mode(Path(cluster.socket_dir) / f".s.PGSQL.{cluster.port}") == 0o700
    assert mode(data) == 0o700
    assert not list(data.parent.glob("*.new-*"))
    assert psutil.Process((await server.status()).pid).net_connections("inet") == []


def test_folder_of_the_user_keeps_its_mode(home: Path) -> None:
    home.mkdir()
    home.chmod(0o755)
    folder.open_root(home)
    assert mode(home) == 0o755
    assert mode(home / "postgres") == 0o700


def test_wrong_password_is_refused(durable: tuple[EmbeddedServer, Cluster, Path]) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(durable[1], "wrong")


async def test_lost_password_is_named(server: EmbeddedServer, used_home: Path) -> None:
    await server.start()
    await server.stop()
    kept = (used_home / "postgres" / "password").read_text()
    (used_home / "postgres" / "password").unlink()
    with pytest.raises(DatabaseUnavailable, match="password of the database is missing"):
        await server.start()
    # A password of another cluster: the server comes up, does not let us in, and goes again.
    (used_home / "postgres" / "password").write_text("x" + kept)
    with pytest.raises(DatabaseUnavailable, match="does not answer"):
        await server.start()
    assert (await server.status()).pid is None
    (used_home / "postgres" / "password").write_text(kept)


async def test_killed_server_comes_back_with_its_data(
    durable: tuple[EmbeddedServer, Cluster, Path],
) -> None:
    server, cluster, _ = durable
    with connect(cluster) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
        kill((await server.status()).pid)
    assert ask(await server.start(), "SELECT n FROM kept") == 42


async def test_start_waits_for_processes_of_a_killed_server(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = await server.start()
    with connect(cluster) as connection:
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        try:
            kill((await server.status()).pid)
            monkeypatch.setattr(control, "_FREE", 0.0)
            with pytest.raises(DatabaseUnavailable, match=rf"number .*{backend}.* still use the"):
                await server.start()
            monkeypatch.undo()
            tries = 0

            def fail_once(*arguments: object, **named: object) -> object:
                # The backend goes on only once a start has found it in the way.
                nonlocal tries
                tries += 1
                done = run(*arguments, **named)
                with contextlib.suppress(ProcessLookupError):  # a later try may find it gone
                    os.kill(backend, signal.SIGCONT)
                return done

            run = control._pg_ctl
            monkeypatch.setattr(control, "_pg_ctl", fail_once)
            await server.start()
            assert tries >= 2
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(backend, signal.SIGCONT)


async def test_stale_files_with_the_number_of_a_living_stranger(
    server: EmbeddedServer, durable: tuple[EmbeddedServer, Cluster, Path]
) -> None:
    stranger = durable[0]
    number = (await stranger.status()).pid
    cluster = await server.start()
    mine = (await server.status()).pid
    kill(mine)
    data = await data_of(server)
    for path in (
        data / "postmaster.pid",
        Path(cluster.socket_dir) / f".s.PGSQL.{cluster.port}.lock",
    ):
        path.write_text(path.read_text().replace(str(mine), str(number), 1))
    assert read_postmaster(data) is None
    await server.start()
    assert (await server.status()).pid not in {mine, number}
    assert (await stranger.status()).pid == number


async def test_lost_socket_means_a_new_server(server: EmbeddedServer) -> None:
    cluster = await server.start()
    first = (await server.status()).pid
    shutil.rmtree(cluster.socket_dir)
    again = await server.start()
    assert (await server.status()).pid != first
    assert ask(again, "SELECT 1") == 1


async def test_two_processes_starting_at_once_share_one_server(
    server: EmbeddedServer, used_home: Path
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        (one, first), (two, second) = await asyncio.gather(
            stack.enter_async_context(holder(used_home)),
            stack.enter_async_context(holder(used_home)),
        )
        assert first == second
        assert (await server.status()).running
        assert await release(one) is False
        assert (await server.status()).pid == first["pid"]
        assert await release(two) is True
        assert (await server.status()).pid is None


async def test_server_of_a_killed_process_is_used_again(
    server: EmbeddedServer, used_home: Path
) -> None:
    async with holder(used_home) as (process, found):
        # Its own session: a Ctrl-C in the terminal never reaches it.
        assert os.getsid(found["pid"]) not in {os.getsid(0), os.getsid(process.pid)}
        process.kill()
        await process.wait()
    await server.start()
    assert (await server.status()).pid == found["pid"]
    assert await server.stop() is True


async def test_force_stops_a_server_that_others_use(
    server: EmbeddedServer, used_home: Path
) -> None:
    async with holder(used_home) as (process, found):
        assert await server.stop() is False
        assert (await server.status()).pid == found["pid"]
        assert await server.stop(force=True) is True
        assert await release(process) is False


async def test_cancelled_start_leaves_nothing_running(fresh: EmbeddedServer) -> None:
    task = asyncio.create_task(fresh.start())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await fresh.status()).pid is None
    assert await fresh.stop() is False


async def test_half_made_data_folder_is_made_anew(fresh: EmbeddedServer, home: Path) -> None:
    layout = folder.make_layout(folder.open_root(home), current_account(), 18)
    half = layout.release / "data.new-1"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    (layout.release / "password.new-1").write_text("")
    assert ask(await fresh.start(), "SELECT 1") == 1
    assert not list(layout.release.glob("*.new-*"))


async def test_moved_home_keeps_its_data(fresh: EmbeddedServer, home: Path) -> None:
    cluster = await fresh.start()
    with connect(cluster) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
    await fresh.stop()
    home.rename(home.parent / "moved")
    moved = EmbeddedServer(home.parent / "moved", throwaway=True)
    try:
        assert ask(await moved.start(), "SELECT n FROM kept") == 42
    finally:
        await leave_nothing(moved)


@as_root
async def test_deleted_home_still_lets_its_server_stop(home: Path) -> None:
    server = EmbeddedServer(home, throwaway=True)
    await server.start()
    data = await data_of(server)
    shutil.rmtree(home)
    try:
        assert await server.stop() is True
        wait_all_end(data)
    finally:
        shutil.rmtree(data.parent.parent)


async def test_other_releases_are_refused(server: EmbeddedServer) -> None:
    await server.start()
    await server.stop()
    own = (await data_of(server)).parent
    for release_number, said in ((17, "pg_dump --format=custom"), (19, "Use the newer Tidings")):
        other = own.with_name(str(release_number))
        own.rename(other)
        with pytest.raises(DatabaseUnavailable, match=said):
            await server.start()
        shutil.rmtree(own)
        other.rename(own)
    # An older folder beside the present one is what an upgrade leaves.
    old = own.with_name("17") / "data"
    old.mkdir(parents=True)
    (old / "PG_VERSION").write_text("17")
    await server.start()
    shutil.rmtree(old.parent)


async def test_failed_start_tells_the_last_words(server: EmbeddedServer) -> None:
    await server.start()
    await server.stop()
    conf = (await data_of(server)) / "postgresql.auto.conf"
    conf.write_text("shared_buffers = 'nonsense'\n")
    with pytest.raises(
        DatabaseUnavailable, match=r"(?s)did not start.*shared_buffers.*Correct what"
    ):
        await server.start()
    assert (await server.status()).running is False
    conf.write_text("")


async def test_failed_initdb_is_told(fresh: EmbeddedServer, home: Path, monkeypatch) -> None:
    found = programs.find_programs(current_account())
    with tempfile.TemporaryDirectory() as empty:
        broken = Path(empty)
        broken.chmod(0o755)
        (broken / "initdb").write_text("#!/bin/sh\necho no space left >&2\nexit 1\n")
        (broken / "initdb").chmod(0o755)
        monkeypatch.setattr(
            "tidings.db.embedded.server.find_programs",
            lambda _: programs.Programs(broken, found.major, found.account),
        )
        with pytest.raises(DatabaseUnavailable, match=r"could not be made in .*no space left"):
            await fresh.start()
    monkeypatch.undo()
    assert not list((await data_of(fresh)).parent.glob("*.new-*"))


async def test_server_that_hangs_in_its_start_is_named(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await server.start()
    pid_file = (await data_of(server)) / "postmaster.pid"
    text = pid_file.read_text()
    pid_file.write_text(text.replace("ready   ", "starting"))
    monkeypatch.setattr(control, "_START", 0.0)
    with pytest.raises(DatabaseUnavailable, match="is still starting"):
        await server.start()
    pid_file.write_text(text)


async def test_server_too_busy_for_a_fast_stop_is_stopped_without(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await server.start()
    run = control._pg_ctl
    deaf_to = {"fast", "immediate"}

    def deaf(layout: folder.Layout, found: object, *arguments: str, seconds: int) -> object:
        return None if deaf_to & {*arguments} else run(layout, found, *arguments, seconds=seconds)

    monkeypatch.setattr(control, "_pg_ctl", deaf)
    with pytest.raises(DatabaseUnavailable, match="does not stop"):
        await server.stop()
    assert (await server.status()).running
    deaf_to.remove("immediate")
    assert await server.stop(force=True) is True
    assert (await server.status()).pid is None


async def test_trouble_with_files_and_time_is_told(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(control, "write_settings", full)
    with pytest.raises(DatabaseUnavailable, match=r"cannot use its files.*No space left"):
        await server.start()
    with pytest.raises(DatabaseUnavailable, match="did not end within 0 seconds"):
        programs.find_programs(current_account()).run("postgres", "-V", cwd=Path("/"), timeout=0)


def test_home_of_another_user_is_refused(home: Path, monkeypatch) -> None:
    (home / "postgres").mkdir(parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(DatabaseUnavailable, match="belongs to the user"):
        folder.open_root(home)


def test_home_that_is_a_file_is_refused(home: Path) -> None:
    home.write_text("")
    with pytest.raises(DatabaseUnavailable, match="cannot be used"):
        folder.open_root(home)


def test_long_home_gets_a_short_socket_folder(home: Path, monkeypatch) -> None:
    us = Account(os.geteuid(), os.getegid())
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home.parent))
    short = folder.layout_of(home / "postgres", us, 18)
    assert short.socket == home / "postgres" / "18" / "run"
    long = folder.layout_of(home / ("x" * 150) / "postgres", us, 18)
    other = folder.layout_of(home / ("y" * 150) / "postgres", us, 18)
    assert long.socket.parent == home.parent
    assert long.socket != other.socket
    # libpq would take what follows a comma for another host.
    assert folder.layout_of(home / "a,b", us, 18).socket.parent == home.parent
    long.socket.symlink_to(home.parent)
    with pytest.raises(DatabaseUnavailable, match="is in the way"):
        folder.make_private(long.socket, us)
    long.socket.unlink()
    long.socket.mkdir(mode=0o755)
    folder.make_private(long.socket, us)
    assert mode(long.socket) == 0o700


def test_start_lock_is_waited_for_within_bounds(home: Path) -> None:
    root = folder.open_root(home)
    with (
        lock.starting(root, 1),
        pytest.raises(DatabaseUnavailable, match=r"start\.lock"),
        lock.starting(root, 0),
    ):
        pytest.fail("two held it")
    assert not lock.in_use(root)
    joined = lock.join(root)
    assert lock.in_use(root)
    os.close(joined)


def test_private_file_is_whole_or_not_at_all(home: Path) -> None:
    home.mkdir()
    folder.write_private(home / "kept", "old")
    with pytest.raises(UnicodeEncodeError):
        folder.write_private(home / "kept", "\ud800")
    assert (home / "kept").read_text() == "old"
    assert [path.name for path in home.iterdir()] == ["kept"]


def test_links_in_the_servers_folders_are_not_followed(home: Path) -> None:
    home.mkdir()
    (home / "secret").write_text("secret")
    (home / "a.log").symlink_to(home / "secret")
    (home / "b.log").write_text("words\n")
    assert read_tail(home / "a.log") == ""
    assert last_words(home) == "words"


def test_empty_lock_file_is_stale(home: Path) -> None:
    layout = folder.Layout(home, home, home, home / "run")
    layout.data.mkdir(parents=True)
    (layout.data / "postmaster.pid").write_text("")
    clear_stale(layout)
    assert not (layout.data / "postmaster.pid").exists()


def test_url_reaches_libpq_whole() -> None:
    cluster = Cluster("/tmp/a b,c%/é", 5432, "postgres", "p", 18)
    parts = conninfo_to_dict(cluster.url("us/er", "p@ss:w/ord", "data base"))
    assert parts == {
        "host": "/tmp/a b,c%/é",
        "port": "5432",
        "user": "us/er",
        "password": "p@ss:w/ord",
        "dbname": "data base",
    }


@as_root
async def test_unreachable_programs_are_copied(fresh: EmbeddedServer, monkeypatch) -> None:
    with tempfile.TemporaryDirectory() as parent:
        Path(parent).chmod(0o755)
        monkeypatch.setattr(account, "SYSTEM_FOLDER", Path(parent) / "lib")
        monkeypatch.setattr(programs, "_open_to_others", lambda _: False)
        cluster = await fresh.start()
        assert psutil.Process((await fresh.status()).pid).exe().startswith(parent)
        (copy,) = Path(parent).glob("lib/postgresql-18-*")
        made = copy.stat().st_ino
        dump = copy / programs.PACKAGE / "pginstall18" / "bin" / "pg_dump"
        assert programs._major_of(dump, current_account()) == 18
        assert await fresh.start() == cluster
        assert copy.stat().st_ino == made
        await fresh.destroy()


@as_root
def test_open_to_others_looks_at_every_folder(home: Path) -> None:
    install = home / "pginstall18"
    for name in ("bin/postgres", "bin/initdb", "share/postgresql/postgres.bki"):
        (install / name).parent.mkdir(parents=True, exist_ok=True)
        (install / name).write_text("")
        (install / name).chmod(0o755)
    home.parent.chmod(0o755)
    assert programs._open_to_others(install)
    home.parent.chmod(0o700)
    assert not programs._open_to_others(install)


def test_missing_programs_are_named(monkeypatch, home: Path) -> None:
    monkeypatch.setattr(programs, "PACKAGE", "no_such_package")
    with pytest.raises(DatabaseUnavailable, match="not installed"):
        programs.find_programs(current_account())
    home.mkdir()
    with pytest.raises(DatabaseUnavailable, match="does not run on this machine"):
        programs._major_of(home / "postgres", Account(os.geteuid(), os.getegid()))


@as_root
def test_system_folder_must_be_roots_own(monkeypatch, home: Path) -> None:
    home.mkdir()
    home.chmod(0o777)
    monkeypatch.setattr(account, "SYSTEM_FOLDER", home)
    with pytest.raises(DatabaseUnavailable, match="belongs to root"):
        account.system_folder()
    monkeypatch.setattr(account, "SYSTEM_FOLDER", home / "no" / "parent")
    with pytest.raises(DatabaseUnavailable, match="cannot be made"):
        account.system_folder()


@as_root
def test_system_user_that_cannot_be_made_is_named(monkeypatch, home: Path) -> None:
    monkeypatch.setattr(account, "SYSTEM_USER", "tidings test")
    with pytest.raises(DatabaseUnavailable, match="useradd --system"):
        current_account()
    home.mkdir()
    monkeypatch.setattr(account, "_USERADD", str(home / "missing"))
    with pytest.raises(DatabaseUnavailable, match="No such file"):
        current_account()
    monkeypatch.setattr(account, "SYSTEM_USER", "root")
    with pytest.raises(DatabaseUnavailable, match="rights of root"):
        current_account()


def ordinary_python() -> tuple[list[str], dict[str, str]]:
    """A Python that any user can run, and its environment; skips the test without one."""
    packages = Path(sysconfig.get_path("purelib")).resolve()
    if not all(path.stat().st_mode & 0o001 for path in [packages, *packages.parents]):
        pytest.skip(f"an ordinary user cannot read {packages}")
    if not all(path.stat().st_mode & 0o001 for path in [Path(SOURCE), *Path(SOURCE).parents]):
        pytest.skip(f"an ordinary user cannot read {SOURCE}")
    release = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/{release}", f"/usr/local/bin/{release}"):
        with contextlib.suppress(OSError):
            subprocess.run(
                [candidate, "-c", ""], user="nobody", group=65534, extra_groups=[], check=True
            )
            return [candidate, "-c"], {"PYTHONPATH": f"{SOURCE}:{packages}", "PATH": os.defpath}
    pytest.skip(f"an ordinary user can run no {release} here")


ORDINARY = """
import asyncio, json, os, sys
from pathlib import Path
from tidings.db.embedded import EmbeddedServer
import psycopg
async def main():
    home = Path(sys.argv[1])
    server = EmbeddedServer(home, throwaway=True)
    cluster = await server.start()
    status = await server.status()
    with psycopg.connect(cluster.url("postgres", cluster.superuser_password, "postgres")) as link:
        link.execute("CREATE TABLE kept AS SELECT 42 AS n")
    stopped = await server.stop()
    again = await server.start()
    with psycopg.connect(again.url("postgres", again.superuser_password, "postgres")) as link:
        kept = link.execute("SELECT n FROM kept").fetchone()[0]
    socket = Path(again.socket_dir)
    found = {"kept": kept, "stopped": stopped, "data": status.data, "socket": str(socket),
             "mode": socket.stat().st_mode & 0o777, "home": home.stat().st_mode & 0o777,
             "log": any(Path(status.log).glob("postgresql-*.log"))}
    await server.stop()
    found["left"] = socket.exists()
    await server.destroy()
    print(json.dumps(found))
asyncio.run(main())
"""


@as_root
@pytest.mark.parametrize("name", ["a 'short' \"$HOME\" é\\", "long " + "x" * 150])
async def test_ordinary_user(home: Path, name: str) -> None:
    command, environment = ordinary_python()
    nobody = pwd.getpwnam("nobody")
    os.chown(home.parent, nobody.pw_uid, nobody.pw_gid)
    place = home.parent / name
    done = await asyncio.to_thread(
        subprocess.run,
        [*command, ORDINARY, str(place)],
        env=environment,
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["data"] == str(place / "postgres" / "18" / "data")
    assert (found["kept"], found["stopped"], found["log"]) == (42, True, True)
    assert (found["mode"], found["home"]) == (0o700, 0o700)
    inside = found["socket"] == str(place / "postgres" / "18" / "run")
    assert inside == (not name.startswith("long"))
    assert found["left"] == inside
    wait_all_end(Path(found["data"]))
