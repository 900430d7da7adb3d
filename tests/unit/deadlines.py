"""Deadlines that end when a test says so, not when a slow machine had no time."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from tidings.base.testing import LocalServer

T = TypeVar("T")


async def left_in_silence(server: LocalServer, work: Coroutine[Any, Any, T]) -> T:
    """What comes of `work`, whose deadline ends each time the server has fallen silent."""
    deadlines: list[asyncio.Timeout] = []
    timeout = asyncio.timeout

    def noted(seconds: float | None) -> asyncio.Timeout:
        made = timeout(seconds)
        if asyncio.current_task() is working:
            deadlines.append(made)
        return made

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(asyncio, "timeout", noted)
        working = asyncio.create_task(work)
        async with timeout(60):
            while not working.done():
                silence = asyncio.create_task(server.silent.wait())
                await asyncio.wait([working, silence], return_when=asyncio.FIRST_COMPLETED)
                if server.silent.is_set():
                    server.silent.clear()
                    deadlines[-1].reschedule(0)
                silence.cancel()
    return await working
