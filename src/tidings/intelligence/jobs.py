"""The jobs of this domain, each one call."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from tidings.ai.gateway import Gateway
from tidings.db.transaction import Database
from tidings.intelligence.read import READ, REFINE, ReadArgs, Reader
from tidings.intelligence.refine import ANALYZE, RefineArgs, Refiner
from tidings.queue.context import Handler, JobContext


def handlers(db: Database, gateway: Gateway, nudge: Callable[[], None]) -> dict[str, Handler]:
    """Handlers by kind; `nudge` wakes the relay, so that who listens is told at once."""
    reader = Reader(db, gateway)
    refiner = Refiner(db, gateway, reader)

    def job(work: Callable[[JobContext, Any], Awaitable[None]], shape: type[Any]) -> Handler:
        async def handle(context: JobContext, args: dict[str, Any]) -> None:
            await work(context, msgspec.convert(args, shape))
            nudge()

        return handle

    return {
        READ: job(reader.run, ReadArgs),
        REFINE: job(refiner.run, RefineArgs),
        ANALYZE: job(refiner.analyze, RefineArgs),
    }
