"""What `up` and `demo` say when everything runs: what a person needs to begin."""

import asyncio
from datetime import timedelta

import httpx
import msgspec

from tidings.base import clock
from tidings.base.errors import TidingsError
from tidings.cli.output import print_json, say
from tidings.cli.sample_data import load_sample
from tidings.tenancy.api_keys import issue_key
from tidings.tenancy.members import list_members
from tidings.tenancy.organizations import FoundOrganization, ensure_default_organization
from tidings.tenancy.sign_in import issue_link
from tidings.wiring import System

KEY_LIFETIME = timedelta(days=90)
READY_SECONDS = 60.0
_LOOK_SECONDS = 0.05


class Ready(msgspec.Struct, frozen=True):
    """What a person needs to begin."""

    url: str
    sign_in_url: str
    api_key: str


async def announce(system: System, *, sample: bool) -> None:
    """Wait for the web server of this machine, then print its address, a link and a key."""
    settings = system.settings
    here = local_url(settings.host, settings.port)
    url = settings.base_url or here
    organization = await ensure_default_organization(system.db)
    await _wait_ready(here)
    if sample:
        await load_sample(system, organization.tenant, say=say)
    print_json(await _credentials(system, organization, url))


def local_url(host: str, port: int) -> str:
    """Where the server answers on this machine, whatever its public address will be."""
    at = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{at}]:{port}" if ":" in at else f"http://{at}:{port}"


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
