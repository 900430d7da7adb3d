"""The server as a process: is there one, is it ours, does it answer."""

import os
import socket
from pathlib import Path

import msgspec
import psutil  # type: ignore[import-untyped]

from tidings.db.embedded.folder import PORT, Layout

# Lines of postmaster.pid: src/include/utils/pidfile.h of PostgreSQL.
_PID, _SOCKET, _STATUS = 0, 4, 7
_LONGEST_TAIL = 4096


class Postmaster(msgspec.Struct, frozen=True):
    """What postmaster.pid says of a living server."""

    pid: int
    socket_dir: str
    status: str  # starting, ready, stopping, or empty before the first

    @property
    def is_ready(self) -> bool:
        """Whether it says that it takes connections."""
        return self.status == "ready"


def read_postmaster(data: Path) -> Postmaster | None:
    """The living server of `data`, or None: a file that a dead one left counts for nothing."""
    lines = read_tail(data / "postmaster.pid").splitlines()
    lines += [""] * (_STATUS + 1 - len(lines))
    pid = lines[_PID].strip()
    if not pid.isdecimal() or not _serves(int(pid), data):
        return None
    return Postmaster(int(pid), lines[_SOCKET], lines[_STATUS].strip())


def _serves(pid: int, data: Path) -> bool:
    """Whether process `pid` is a PostgreSQL of `data`, not another that got the same number.

    PostgreSQL makes its data folder the working directory of each of its processes.
    """
    try:
        process = psutil.Process(pid)
        return (
            process.status() != psutil.STATUS_ZOMBIE
            and process.name().startswith("postgres")
            and Path(process.cwd()) == data.resolve()
        )
    except psutil.Error:
        return False


def processes_of(data: Path) -> list[int]:
    """Every living PostgreSQL process of `data`, its server first when it lives."""
    return [pid for pid in psutil.pids() if _serves(pid, data)]


def clear_stale(layout: Layout) -> None:
    """Remove lock files whose number belongs to a process that is not our server.

    PostgreSQL itself forgives a number that nobody has, and no other. That backends of a killed
    server may still use the data is guarded by its shared memory, whose key is the folder's inode,
    so these files are not needed for it. Call only while `read_postmaster` is None and the start
    lock is held.
    """
    for path in (layout.data / "postmaster.pid", layout.socket / f".s.PGSQL.{PORT}.lock"):
        pid = read_tail(path).partition("\n")[0].strip()
        stranger = pid.isdecimal() and psutil.pid_exists(int(pid))
        # Looked at again: the pg_ctl of a killed process may have started one just now.
        if not pid.isdecimal() or (stranger and not _serves(int(pid), layout.data)):
            path.unlink(missing_ok=True)


def answers(socket_dir: str) -> bool:
    """Whether somebody takes connections on the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(5)
        try:
            probe.connect(f"{socket_dir}/.s.PGSQL.{PORT}")
        except OSError:
            return False
    return True


def last_words(log: Path, lines: int = 12) -> str:
    """The last lines of the newest log files in `log`, oldest first."""
    logs = sorted(log.glob("*.log"), key=lambda path: path.lstat().st_mtime)
    text = "\n".join(read_tail(path) for path in logs[-2:])
    return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])


def read_tail(path: Path) -> str:
    """The end of a file in a folder that the account can write, or nothing.

    No link is followed: as root we can read more than the account may show.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        file.seek(max(0, os.fstat(descriptor).st_size - _LONGEST_TAIL))
        return file.read(_LONGEST_TAIL).decode("utf-8", "replace")
