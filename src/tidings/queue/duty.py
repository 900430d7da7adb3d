"""How every background duty of a worker waits and survives."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable

import structlog

from tidings.base.errors import DatabaseBusy, DatabaseUnavailable, SettingInvalid

log = structlog.get_logger(__name__)


async def wait_any(events: Iterable[asyncio.Event], seconds: float | None = None) -> None:
    """Return as soon as one of the events is set, or after `seconds`."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def attempt(duty: str, step: Callable[[], Awaitable[None]]) -> None:
    """Do a step of a duty; log what goes wrong, so that the duty goes on."""
    try:
        await step()
    except (DatabaseBusy, DatabaseUnavailable) as error:
        log.warning("duty waits for the database", duty=duty, problem=error.message)
    except Exception:
        log.exception("duty failed once", duty=duty)


async def repeat(
    duty: str,
    step: Callable[[], Awaitable[None]],
    interval: float,
    closing: asyncio.Event,
    hint: asyncio.Event | None = None,
) -> None:
    """Do a step about every `interval` seconds, and at each hint, until `closing` is set."""
    while not closing.is_set():
        if hint is not None:
            hint.clear()
        await attempt(duty, step)
        events = [closing] if hint is None else [closing, hint]
        # Jitter, so that many workers do not come in step.
        await wait_any(events, interval * random.uniform(0.8, 1))  # noqa: S311


def require(holds: bool, sentence: str) -> None:
    """Raise `SettingInvalid` with the sentence unless it holds."""
    if not holds:
        raise SettingInvalid(sentence)
