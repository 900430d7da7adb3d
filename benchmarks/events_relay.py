"""The other process of a deployment: its relay and its hub. Run with a database's address."""

import asyncio
import sys

import uvloop

from tidings.base.settings import Settings
from tidings.db.pools import primary_pool
from tidings.db.transaction import Database
from tidings.realtime.relay import Relay
from tidings.realtime.subscribe import Hub


async def main(url: str) -> None:
    """Relay until killed."""
    settings = Settings(database_url=url, pool_primary_min=1, _env_file=None)  # type: ignore[call-arg]
    database = Database(primary_pool(settings, url))
    await database.open()
    hub = Hub(database, {})
    print("ready", flush=True)
    await asyncio.gather(hub.run(), Relay(database, hub=hub).run())


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1]))
