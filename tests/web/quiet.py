"""An application whose parts do only what a test tells them."""

from typing import Any

from tidings.realtime.broadcast import send_in
from tidings.tenancy.access import Access, key_credential
from web.house import House, Team


class Quiet:
    """An application whose hub and relay do nothing by themselves, and a member of a team."""

    def __init__(self, house: House, team: Team) -> None:
        self.house, self.team, self.services = house, team, house.services
        self.tenant = team.people["member"].tenant

    async def access(self, role: Any = "member") -> Access:
        credential = key_credential(await self.house.key(self.team, role))
        return await self.services.requests.open(credential)

    async def tell_of_rights(self) -> None:
        await self.house.sql(
            "SELECT tidings.publish_access_v1(%s, %s)",
            self.tenant.organization_id,
            self.tenant.user_id,
        )
        await self.hand_out()

    async def send(self, payload: str, topic: str = "room:a") -> None:
        async with self.services.db.tenant_batch(self.tenant) as batch:
            send_in(batch, self.tenant, topic, "n", payload)
        await self.hand_out()

    async def hand_out(self) -> None:
        await self.services.relay.turn(hinted=True)
        await self.services.hub._read_on()
