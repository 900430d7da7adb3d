"""Two file locks in the home let several processes share one embedded PostgreSQL.

`start.lock` is held alone by whoever starts or stops the server. `in-use.lock` is held shared by
every process that uses it; who leaves and then could hold it alone is the last, and stops the
server. The kernel drops the locks of a process that dies, so a crash leaves nothing to clean.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tidings.base.errors import DatabaseUnavailable

_EVERY = 0.02  # seconds between tries


@contextmanager
def starting(root: Path, timeout: float) -> Iterator[None]:
    """Hold the right to start or stop the server; `timeout` is in seconds."""
    descriptor = _open(root / "start.lock")
    try:
        until = time.monotonic() + timeout
        while not _lock(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > until:
                raise DatabaseUnavailable(
                    f"Another process has been starting or stopping the database for {timeout:g} "
                    f"seconds (it holds {root / 'start.lock'}); end it and try again."
                )
            time.sleep(_EVERY)
        yield
    finally:
        os.close(descriptor)


def join(root: Path) -> int:
    """Count this process among the users of the server; close the descriptor to leave."""
    descriptor = _open(root / "in-use.lock")
    # Whoever could hold it alone has the start lock, as we do, so this does not wait.
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def in_use(root: Path) -> bool:
    """Whether any process (or another server object of this one) uses the server."""
    descriptor = _open(root / "in-use.lock")
    try:
        return not _lock(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
