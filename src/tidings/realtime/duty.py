"""For loops that run until they are cancelled."""

import asyncio
from typing import Any

from tidings.base.errors import DatabaseBusy, DatabaseUnavailable, MigrationBroken


def stop_if_cancelled() -> None:
    """Raise the cancellation that this task was sent and never got.

    `asyncio.wait_for` before Python 3.12, by which the pool waits for a connection, swallows a
    cancellation that arrives together with the connection; a loop without an end would go on.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def log_trouble(log: Any, event: str, error: Exception) -> None:
    """Say why a loop waits before it tries again: in a line when that happens, else in full.

    No error ends such a loop, for nobody would start it again: disks that are full and failovers
    are over some time.
    """
    if isinstance(error, (DatabaseUnavailable, DatabaseBusy, MigrationBroken)):
        log.warning(event, error=error.message)
    else:
        log.error(event, exc_info=error)
