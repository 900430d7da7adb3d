"""`work`: a worker alone."""

import asyncio

from tidings.base.logs import configure_logs
from tidings.base.settings import Settings, load_settings
from tidings.cli.process_settings import Supervised
from tidings.cli.supervised import begin_and_end_with_parent
from tidings.db.addresses import open_addresses
from tidings.wiring import build_worker, open_system, realtime, worker_connections
from tidings.worker.run import work_until_stopped


def work(*, supervised: Supervised = False) -> int:
    """Run a worker alone, on a migrated database.

    Example: TIDINGS_DATABASE_URL=postgresql://… tidings work
    """
    settings = load_settings()
    configure_logs(settings)
    if supervised:
        begin_and_end_with_parent()
    asyncio.run(_work(settings))
    return 0


async def _work(settings: Settings) -> None:
    settings = settings.model_copy(update={"pool_primary_max": worker_connections(settings)})
    async with (
        open_addresses(settings) as addresses,
        open_system(settings, addresses) as system,
        realtime(system) as (_, relay),
    ):
        await work_until_stopped(build_worker(system, relay))
