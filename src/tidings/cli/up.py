"""`up` and `demo`: everything on this machine."""

import asyncio
from datetime import timedelta
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console

from tidings.base import clock
from tidings.base.logs import configure_logs
from tidings.base.settings import Settings
from tidings.cli.process_settings import Home, Port, process_settings
from tidings.cli.processes import Child, children, run_once, wait_for_end, wait_ready
from tidings.cli.sample_data import load_sample
from tidings.db.addresses import open_addresses
from tidings.db.revisions import is_migrated
from tidings.tenancy.api_keys import issue_key
from tidings.tenancy.members import list_members
from tidings.tenancy.organizations import FoundOrganization, ensure_default_organization
from tidings.tenancy.sign_in import issue_link
from tidings.web.listen import bind
from tidings.wiring import System, open_system

KEY_LIFETIME = timedelta(days=90)

Json = Annotated[
    bool, Parameter(name="--json", negative="", help="Print one line of JSON when ready.")
]

_said = Console(stderr=True)


class Ready(msgspec.Struct, frozen=True):
    """What a person needs to begin."""

    url: str
    sign_in_url: str
    api_key: str


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
    configure_logs(settings)
    listener = bind(settings)
    host, port = listener.getsockname()[:2]
    url = settings.base_url or f"http://{host}:{port}"
    env = {
        "TIDINGS_HOME": str(settings.home),
        "TIDINGS_PORT": str(port),
        "TIDINGS_BASE_URL": url,
    }
    async with open_addresses(settings) as addresses:
        if not await asyncio.to_thread(is_migrated, addresses.app):
            # In a process of its own: what migrates takes long to load and is seldom needed.
            await run_once(["migrate", "up"], env)
        serving = ["serve", "--fd", str(listener.fileno())]
        async with children([serving, ["work"]], env, listener) as processes:
            async with open_system(settings, addresses) as system:
                ready = await _get_ready(system, url, processes, is_demo=is_demo)
            _announce(ready, as_json=as_json)
            return await wait_for_end(processes)


async def _get_ready(system: System, url: str, processes: list[Child], *, is_demo: bool) -> Ready:
    organization = await ensure_default_organization(system.db)
    await wait_ready(url, processes)
    if is_demo:
        await load_sample(system, organization.tenant, say=_said.print)
    return await _credentials(system, organization, url)


async def _credentials(system: System, organization: FoundOrganization, url: str) -> Ready:
    key = await issue_key(
        system.db,
        organization.tenant,
        f"tidings up, {clock.now():%Y-%m-%d %H:%M}",
        expires_at=clock.now() + KEY_LIFETIME,
    )
    members = await list_members(system.db, organization.tenant)
    owner = next(member for member in members if member.user_id == organization.user_id)
    token = await issue_link(system.db, owner.email, organization_id=organization.organization_id)
    return Ready(url, f"{url}/sign-in/link/{token}", key.key)


def _announce(ready: Ready, *, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode(ready).decode(), flush=True)
        return
    lines = [
        "",
        "Tidings is ready.",
        f"  Address   {ready.url}",
        f"  Sign in   {ready.sign_in_url}  (works once, for 15 minutes)",
        f"  API key   {ready.api_key}",
        "Stop it with Ctrl-C; what it stored stays.",
    ]
    print("\n".join(lines), flush=True)
