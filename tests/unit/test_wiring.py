"""What runs in the background of a process."""

import asyncio

import structlog

from tidings.wiring import background


async def test_a_duty_that_ends_before_its_process_is_reported() -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    async def steady() -> None:
        await asyncio.Event().wait()

    with structlog.testing.capture_logs() as logs:
        async with background([broken(), steady()]):
            for _ in range(3):  # it runs, it ends, its end is seen
                await asyncio.sleep(0)
    assert [(entry["log_level"], entry["event"]) for entry in logs] == [("critical", "duty_ended")]
    assert isinstance(logs[0]["exc_info"], ZeroDivisionError)
    assert "broken" in logs[0]["duty"]
