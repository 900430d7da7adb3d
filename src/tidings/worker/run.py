"""A worker process: works until it is told to stop."""

import asyncio
import gc
import signal

from tidings.queue.worker import Worker


async def work_until_stopped(worker: Worker, *, until_empty: bool = False) -> None:
    """Run the worker; SIGTERM and SIGINT let it finish or give back what it holds.

    With `until_empty` it also stops by itself once nothing is due.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    # What is loaded by now stays: collections need not look at it again.
    gc.freeze()
    await (worker.run_until_empty() if until_empty else worker.run())
