"""`up` and `demo`: everything on this machine.

This process is small and starts its parts at once, so that they load side by side while the
database starts; then it lets them begin.
"""

import asyncio
import json as jsonlib
from typing import Annotated

from cyclopts import Parameter

from tidings.base.settings import Settings
from tidings.cli.process_settings import Home, Port, process_settings
from tidings.cli.processes import begin, children, line_of, run_once, wait_for_end
from tidings.db.addresses import open_addresses
from tidings.db.revisions import is_migrated
from tidings.web.listen import bind

Json = Annotated[
    bool, Parameter(name="--json", negative="", help="Print one line of JSON when ready.")
]


def up(*, json: Json = False, port: Port = None, home: Home = None) -> int:
    """Run PostgreSQL, web and worker on this machine until stopped.

    Example: tidings up --port 8420
    """
    return asyncio.run(_up(process_settings(port, home), is_demo=False, as_json=json))


def demo(*, json: Json = False, port: Port = None, home: Home = None) -> int:
    """As `up`, with a sample company whose meetings are summarised before it says ready.

    Example: tidings demo
    """
    return asyncio.run(_up(process_settings(port, home), is_demo=True, as_json=json))


async def _up(settings: Settings, *, is_demo: bool, as_json: bool) -> int:
    listener = bind(settings)
    host, port = listener.getsockname()[:2]
    env = {
        "TIDINGS_HOME": str(settings.home),
        "TIDINGS_PORT": str(port),
        "TIDINGS_BASE_URL": settings.base_url or f"http://{host}:{port}",
    }
    commands = [
        ["serve", "--fd", str(listener.fileno())],
        ["work", "--announced", *(["--sample"] if is_demo else [])],
    ]
    async with (
        children(commands, env, listener) as (web, worker),
        open_addresses(settings) as addresses,
    ):
        if not await asyncio.to_thread(is_migrated, addresses.app):
            # In a process of its own: what migrates takes long to load and is seldom needed.
            await run_once(["migrate", "up"], env)
        await begin([web, worker])
        _announce(await line_of(worker, [web]), as_json=as_json)
        return await wait_for_end([web, worker])


def _announce(line: bytes, *, as_json: bool) -> None:
    if as_json:
        print(line.decode().strip(), flush=True)
        return
    ready = jsonlib.loads(line)
    lines = [
        "",
        "Tidings is ready.",
        f"  Address   {ready['url']}",
        f"  Sign in   {ready['sign_in_url']}  (works once, for 15 minutes)",
        f"  API key   {ready['api_key']}",
        "Stop it with Ctrl-C; what it stored stays.",
    ]
    print("\n".join(lines), flush=True)
