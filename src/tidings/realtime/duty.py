"""For loops that run until they are cancelled."""

import asyncio


def stop_if_cancelled() -> None:
    """Raise the cancellation that this task was sent and never got.

    `asyncio.wait_for` before Python 3.12, by which the pool waits for a connection, swallows a
    cancellation that arrives together with the connection; a loop without an end would go on.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
