"""Bring the server of one data folder up, and take it down.

Every function here expects that the caller holds the start lock, and blocks.
"""

import contextlib
import subprocess
import time

from tidings.base.errors import DatabaseUnavailable
from tidings.db.embedded.conf import write_settings
from tidings.db.embedded.folder import Layout, make_private
from tidings.db.embedded.postmaster import (
    Postmaster,
    answers,
    clear_stale,
    last_words,
    processes_of,
    read_postmaster,
    read_tail,
)
from tidings.db.embedded.programs import Programs

_START = 60.0  # seconds that a start may take; crash recovery is the long part
_FREE = 15.0  # seconds that processes of a killed server may take to go
_STOP = {"fast": 8, "immediate": 5}  # seconds of each way to stop, in the order tried
_EVERY = 0.02  # seconds between looks
_LEFTOVERS = "pre-existing shared memory block"


def bring_up(layout: Layout, programs: Programs, *, throwaway: bool) -> Postmaster:
    """The ready server of `layout`: the one that runs, or a new one.

    Raises `DatabaseUnavailable` with the server's last words.
    """
    running = _settle(layout)
    if running is not None and not answers(running.socket_dir):
        # Its socket is gone (a cleaner of temporary folders): nobody can use it any more.
        take_down(layout, programs)
        running = None
    if running is None:
        make_private(layout.socket, programs.account)
        write_settings(layout, programs.account, throwaway=throwaway)
        clear_stale(layout)
        _launch(layout, programs)
        running = _settle(layout)
    if running is None:
        raise failure(layout, "stopped as soon as it had started")
    return running


def take_down(layout: Layout, programs: Programs) -> bool:
    """Stop the server of `layout`; whether there was one.

    Open transactions are rolled back. A server too busy to write its checkpoint in time is
    stopped without; its log brings everything back at the next start.
    """
    found = read_postmaster(layout.data)
    if found is None:
        return False
    for mode, seconds in _STOP.items():
        _pg_ctl(layout, programs, "stop", "--mode", mode, seconds=seconds)
        if read_postmaster(layout.data) is None:
            if layout.socket.parent != layout.release:
                with contextlib.suppress(OSError):
                    layout.socket.rmdir()
            return True
    raise failure(layout, f"does not stop (process {found.pid})")


def _settle(layout: Layout) -> Postmaster | None:
    """Wait until the server of `layout` is ready, or is none."""
    until = time.monotonic() + _START
    while (found := read_postmaster(layout.data)) is not None and not found.is_ready:
        if time.monotonic() > until:
            raise failure(layout, f"is still {found.status or 'starting'} (process {found.pid})")
        time.sleep(_EVERY)
    return found


def _launch(layout: Layout, programs: Programs) -> None:
    """Start a server, once the processes of a killed one are gone."""
    first_words = layout.log / "start.log"
    until = time.monotonic() + _FREE
    while True:
        first_words.unlink(missing_ok=True)
        done = _pg_ctl(layout, programs, "start", "--log", "log/start.log", seconds=int(_START))
        # It may find that the pg_ctl of a killed process was quicker.
        if done.returncode == 0 or read_postmaster(layout.data) is not None:
            return
        if _LEFTOVERS not in read_tail(first_words):
            raise failure(layout, "did not start")
        if time.monotonic() > until:
            pids = ", ".join(str(pid) for pid in processes_of(layout.data)) or "unknown"
            raise failure(
                layout,
                f"did not start: processes of a killed one (number {pids}) still use the data",
            )
        time.sleep(5 * _EVERY)


def _pg_ctl(
    layout: Layout, programs: Programs, *arguments: str, seconds: int
) -> subprocess.CompletedProcess[str]:
    """Run pg_ctl and wait. It gives its paths to a shell, so they are relative and plain."""
    return programs.run(
        "pg_ctl",
        *arguments,
        *("--pgdata", "data", "--silent", "--wait", "--timeout", str(seconds)),
        cwd=layout.release,
        timeout=2 * seconds,
    )


def failure(layout: Layout, what: str) -> DatabaseUnavailable:
    """The error that says what the server of `layout` did, its last words, and what to do."""
    return DatabaseUnavailable(
        f"The embedded PostgreSQL of {layout.data} {what}. Its last words:\n"
        f"{last_words(layout.log) or '(nothing)'}\n"
        f"Correct what they say and start again (the whole log is in {layout.log}), or set "
        "TIDINGS_DATABASE_URL to a server of yours."
    )
