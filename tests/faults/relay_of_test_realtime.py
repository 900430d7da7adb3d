"""A process that relays until it is killed: `python relay_of_test_realtime.py URL`."""

import asyncio
import sys

from tidings.base.settings import Settings
from tidings.db.pools import primary_pool
from tidings.db.transaction import Database
from tidings.realtime.relay import Relay, relay_state


async def main(url: str) -> None:
    settings = Settings(database_url=url, pool_primary_min=1, _env_file=None)
    db = Database(primary_pool(settings, url))
    await db.open()
    relay = Relay(db)
    relaying = asyncio.create_task(relay.run())
    while not (await relay_state(db)).is_held:
        relay.nudge()
    sys.stdout.write("relaying\n")
    sys.stdout.flush()
    await relaying


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
