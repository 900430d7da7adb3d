"""A loop that swallowed its cancellation still ends."""

import asyncio

import pytest

from tidings.realtime.duty import stop_if_cancelled


async def test_a_swallowed_cancellation_is_raised_again() -> None:
    async def swallow() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stop_if_cancelled()
        pytest.fail("went on")

    task = asyncio.create_task(swallow())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nothing_happens_otherwise() -> None:
    stop_if_cancelled()
