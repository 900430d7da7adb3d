"""Our web process for the fan-out benchmarks: serves what it is given, on a free port.

Run as a program with the database's address; prints its port and an API key.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from place import new_tenant
from tidings.base.settings import Settings
from tidings.db.addresses import open_addresses
from tidings.tenancy.api_keys import issue_key
from tidings.web.app import create_app
from tidings.web.listen import bind
from tidings.web.serve import run_server
from tidings.web.services import Services
from tidings.wiring import open_system, realtime


def main() -> None:
    """Serve until killed."""
    url, home = sys.argv[1:]
    given = {"home": home, "database_url": url, "listen_url": url, "port": 0}
    # All subscribers use one key, and each connection counts as a request.
    settings = Settings(**given, rate_limit=1_000_000, _env_file=None)  # type: ignore[arg-type, call-arg]
    listener = bind(settings)
    key = asyncio.run(_issue(settings))

    @asynccontextmanager
    async def services() -> AsyncIterator[Services]:
        async with (
            open_addresses(settings) as addresses,
            open_system(settings, addresses) as system,
            realtime(system) as (hub, relay),
        ):
            yield system.services(hub, relay)

    print(json.dumps({"port": listener.getsockname()[1], "key": key}), flush=True)
    run_server(create_app(settings, services), settings, listener)


async def _issue(settings: Settings) -> str:
    async with open_addresses(settings) as addresses, open_system(settings, addresses) as system:
        return (await issue_key(system.db, await new_tenant(system.db), "Benchmark")).key


if __name__ == "__main__":
    main()
