"""`ready`, a part of `up` and `demo`: what a person needs to begin, once everything runs."""

import asyncio
from datetime import timedelta

import httpx
import msgspec
from rich.console import Console

from tidings.base import clock
from tidings.base.errors import TidingsError
from tidings.base.logs import configure_logs
from tidings.base.settings import Settings, load_settings
from tidings.cli.process_settings import Supervised
from tidings.cli.sample_data import load_sample
from tidings.cli.supervised import begin_and_end_with_parent
from tidings.db.addresses import open_addresses
from tidings.tenancy.api_keys import issue_key
from tidings.tenancy.members import list_members
from tidings.tenancy.organizations import FoundOrganization, ensure_default_organization
from tidings.tenancy.sign_in import issue_link
from tidings.wiring import System, open_system

KEY_LIFETIME = timedelta(days=90)
READY_SECONDS = 60.0
_LOOK_SECONDS = 0.05

_said = Console(stderr=True)


class Ready(msgspec.Struct, frozen=True):
    """What a person needs to begin."""

    url: str
    sign_in_url: str
    api_key: str


def ready(*, sample: bool = False, supervised: Supervised = False) -> int:
    """Wait for the web server at TIDINGS_BASE_URL, and print its address, a link and a key.

    Example: tidings ready
    """
    settings = load_settings()
    configure_logs(settings)
    if supervised:
        begin_and_end_with_parent()
    print(msgspec.json.encode(asyncio.run(_ready(settings, sample=sample))).decode(), flush=True)
    return 0


async def _ready(settings: Settings, *, sample: bool) -> Ready:
    url = settings.base_url or f"http://{settings.host}:{settings.port}"
    few = settings.model_copy(update={"pool_primary_min": 1, "pool_primary_max": 2})
    async with open_addresses(settings) as addresses, open_system(few, addresses) as system:
        organization = await ensure_default_organization(system.db)
        await _wait_ready(url)
        if sample:
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


async def _wait_ready(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        for _ in range(int(READY_SECONDS / _LOOK_SECONDS)):
            if await _is_ready(client):
                return
            await asyncio.sleep(_LOOK_SECONDS)
    raise TidingsError(f"{url} was not ready after {READY_SECONDS:.0f} s.")


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False
