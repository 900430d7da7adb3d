"""The parent's side of `tidings up`: its parts are children in this process group."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from tidings.base.errors import TidingsError

STOP_SECONDS = 12.0

Child = asyncio.subprocess.Process


@asynccontextmanager
async def children(
    commands: list[list[str]], env: Mapping[str, str], listener: socket.socket
) -> AsyncIterator[list[Child]]:
    """Run `tidings COMMAND…` for each command; all are stopped when the block ends.

    They inherit the listening socket under its number, and wait for `begin` once they are loaded.
    """
    started: list[Child] = []
    try:
        for command in commands:
            started.append(  # noqa: PERF401 - what was started must be known if the next fails
                await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "tidings", *command, "--supervised"),
                    env={**os.environ, **env},
                    stdin=PIPE,
                    # A part that serves says nothing on standard output.
                    stdout=PIPE,
                    pass_fds=[listener.fileno()],
                )
            )
        yield started
    finally:
        await stop(started)


async def begin(processes: list[Child]) -> None:
    """Let the children begin: what they need is there."""
    for process in processes:
        assert process.stdin is not None
        # One that ended already is noticed by whoever waits for it.
        with suppress(ConnectionError):
            process.stdin.write(b"begin\n")
            await process.stdin.drain()


async def line_of(process: Child, others: list[Child]) -> bytes:
    """The one line that a child prints. Raises `TidingsError` when it or another ends without."""
    assert process.stdout is not None
    printed = asyncio.create_task(process.stdout.readline())
    ends = [asyncio.create_task(other.wait()) for other in others]
    try:
        await asyncio.wait([printed, *ends], return_when=asyncio.FIRST_COMPLETED)
        if printed.done() and printed.result():
            return printed.result()
        raise TidingsError("A part of Tidings ended while starting; see the log above.")
    finally:
        for task in (printed, *ends):
            task.cancel()


async def run_once(command: list[str], env: Mapping[str, str]) -> None:
    """Run `tidings COMMAND` to its end. Raises `TidingsError` when it fails; it says why itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tidings", *command, env={**os.environ, **env}, stdout=sys.stderr
    )
    if await process.wait() != 0:
        raise TidingsError(f"`tidings {' '.join(command)}` failed; see the log above.")


async def stop(processes: list[Child]) -> None:
    """Ask all to stop, wait, then end those that did not."""
    for process in processes:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await asyncio.gather(*(process.wait() for process in processes))
    except TimeoutError:
        for process in processes:
            if process.returncode is None:
                process.kill()
        await asyncio.gather(*(process.wait() for process in processes))


async def wait_for_end(processes: list[Child]) -> int:
    """Wait for SIGTERM, SIGINT or the end of any child; the exit code to end with."""
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    waiting = [asyncio.create_task(process.wait()) for process in processes]
    stopped = asyncio.create_task(asked.wait())
    await asyncio.wait([stopped, *waiting], return_when=asyncio.FIRST_COMPLETED)
    code = 0 if asked.is_set() else 1
    for task in (stopped, *waiting):
        task.cancel()
    return code
