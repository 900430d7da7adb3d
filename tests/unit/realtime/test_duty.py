"""A loop that swallowed its cancellation still ends; one that met an error does not."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
import pytest
import structlog

from tidings.base.errors import DatabaseBusy
from tidings.realtime import presence, supabase
from tidings.realtime.backplane import PostgresBackplane
from tidings.realtime.duty import stop_if_cancelled
from tidings.realtime.presence import Presences
from tidings.realtime.relay import Relay
from tidings.realtime.subscribe import Hub
from tidings.realtime.supabase import SupabaseBridge
from tidings.recall import invalidate
from tidings.recall.cache import Recall
from tidings.recall.invalidate import Invalidations

Work = Coroutine[Any, Any, None]


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


class Broken:
    """A database that answers every question with an error, and says that it was asked."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.asked = asyncio.Semaphore(0)

    @asynccontextmanager
    async def system_batch(self, *, repeatable: bool = False) -> AsyncIterator[None]:
        self.asked.release()
        raise self.error
        yield


def hub(db: Any) -> Work:
    made = Hub(db, {}, poll=0.001)
    made._position = 0
    return made.run()


def recall(db: Any) -> Work:
    made = Invalidations(db, Recall(10, 60), poll=0.001)
    made.wake("")
    return made.run()


async def backplane(db: Any) -> None:
    made = PostgresBackplane(db, "", Hub(db, {}))
    telling = asyncio.create_task(made._tell())
    for message in (b"\xff", b"1", b"2", b"3"):
        made._outgoing.put("", message)
        for _ in range(3):  # it hears of it, and fails
            await asyncio.sleep(0)
    await telling


@pytest.mark.parametrize(
    "duty",
    [
        hub,
        recall,
        backplane,
        lambda db: Relay(db).run(),
        lambda db: Presences(db).run(),
        lambda db: SupabaseBridge(db, "http://nowhere.example", "key", []).run(),
    ],
    ids=["hub", "recall", "backplane", "relay", "presence", "bridge"],
)
@pytest.mark.parametrize(
    ("error", "level"), [(psycopg.errors.DiskFull, "error"), (DatabaseBusy, "warning")]
)
async def test_no_error_ends_what_nobody_would_start_again(
    monkeypatch: pytest.MonkeyPatch, duty: Callable[[Any], Work], error: Any, level: str
) -> None:
    monkeypatch.setattr(presence, "RENEWAL", 0.001)
    monkeypatch.setattr(supabase, "_IDLE", 0.001)
    monkeypatch.setattr(invalidate, "_BROKEN", 0.001)
    broken = Broken(error())
    with structlog.testing.capture_logs() as logs:
        running = asyncio.create_task(duty(broken))
        async with asyncio.timeout(20):
            for _ in range(3):
                await broken.asked.acquire()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    assert level in {entry["log_level"] for entry in logs}
