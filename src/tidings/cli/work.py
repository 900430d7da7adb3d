"""`work`: a worker alone."""

import asyncio
from typing import Annotated

from cyclopts import Parameter

from tidings.base.errors import TidingsError
from tidings.base.logs import configure_logs
from tidings.base.settings import Settings, load_settings
from tidings.cli.output import say
from tidings.cli.process_settings import Supervised
from tidings.cli.ready import announce
from tidings.cli.supervised import begin_and_end_with_parent
from tidings.db.addresses import open_addresses
from tidings.queue.worker import Worker
from tidings.wiring import System, build_worker, open_system, realtime, worker_connections
from tidings.worker.run import work_until_stopped

Announce = Annotated[bool, Parameter(show=False, negative="", help="Say when everything runs.")]
Sample = Annotated[bool, Parameter(show=False, negative="", help="Take in the sample first.")]


def work(
    *, supervised: Supervised = False, announced: Announce = False, sample: Sample = False
) -> int:
    """Run a worker alone, on a migrated database.

    Example: TIDINGS_DATABASE_URL=postgresql://… tidings work
    """
    settings = load_settings()
    configure_logs(settings)
    if supervised:
        begin_and_end_with_parent()
    asyncio.run(_work(settings, announced=announced, sample=sample))
    return 0


async def _work(settings: Settings, *, announced: bool, sample: bool) -> None:
    settings = settings.model_copy(update={"pool_primary_max": worker_connections(settings)})
    async with (
        open_addresses(settings) as addresses,
        open_system(settings, addresses) as system,
        realtime(system) as (_, relay),
        asyncio.TaskGroup() as tasks,
    ):
        worker = build_worker(system, relay)
        if announced:
            announcing = tasks.create_task(_announce(system, worker, sample=sample))
        await work_until_stopped(worker)
        if announced:
            announcing.cancel()


async def _announce(system: System, worker: Worker, *, sample: bool) -> None:
    try:
        await announce(system, sample=sample)
    except TidingsError as error:
        # The parent waits for the line or for our end.
        say(error.message)
        worker.stop()
