"""The processes of `tidings up`: web and worker as children in this process group."""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from tidings.base.errors import TidingsError

READY_SECONDS = 60.0
STOP_SECONDS = 12.0
_LOOK_SECONDS = 0.05

Child = asyncio.subprocess.Process


@asynccontextmanager
async def children(
    commands: list[list[str]], env: Mapping[str, str], listener: socket.socket
) -> AsyncIterator[list[Child]]:
    """Run `tidings COMMAND…` for each command; all are stopped when the block ends.

    They inherit the listening socket under its number.
    """
    started: list[Child] = []
    try:
        for command in commands:
            started.append(  # noqa: PERF401 - what was started must be known if the next fails
                await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "tidings",
                    *command,
                    "--supervised",
                    env={**os.environ, **env},
                    stdin=asyncio.subprocess.PIPE,
                    pass_fds=[listener.fileno()],
                )
            )
        yield started
    finally:
        await stop(started)


def end_with_parent() -> None:
    """End this process as SIGTERM does once its parent is gone, however that ended.

    The parent holds the other end of our standard input; the kernel closes it when it dies.
    """

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


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


async def wait_ready(url: str, processes: list[Child]) -> None:
    """Return when the web process is ready. Raises `TidingsError` when it ends or is late."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        try:
            async with asyncio.timeout(READY_SECONDS):
                while not await _is_ready(client):
                    for process in processes:
                        if process.returncode is not None:
                            raise TidingsError(
                                f"A part of Tidings ended with exit code {process.returncode} "
                                "while starting; see the log above."
                            )
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            raise TidingsError(f"{url} was not ready after {READY_SECONDS:.0f} s.") from None


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


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False
