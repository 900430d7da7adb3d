"""Two organizations whose machines answer each other, by every step that a message takes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import psycopg
from pydantic import SecretStr

from tidings.approvals.gateways import set_gateway
from tidings.base import clock
from tidings.connectors.testing import FakeGateway, FakeSmtp, Mail
from tidings.tenancy.secret_keys import load_secret_keys
from tidings.wiring import build_worker
from web.conftest import OpenHouse
from web.house import House, Team

RULE = {"name": "Away", "action": "send", "cooldown": 60}
ROUNDS = 30


class Side:
    """An organization with one channel that answers whatever comes in."""

    def __init__(self, house: House, team: Team, api: httpx.AsyncClient, address: str) -> None:
        self.house = house
        self.team = team
        self.api = api
        self.address = address
        self.channel_id = ""
        self.carried = 0

    async def hear(self, number: int, sender: str, body: str, **more: Any) -> None:
        """Take one message in over the API."""
        item = {
            "external_id": f"m{number}",
            "sender": {"id": sender, "name": "Somebody"},
            "direction": "in",
            "body": body,
            "sent_at": clock.now().isoformat(),
        }
        path = f"/v1/channels/{self.channel_id}/messages"
        answer = await self.api.post(path, json={"items": [item | more]})
        assert answer.json()["created"] == 1, answer.text

    async def log(self) -> list[tuple[str, str | None]]:
        """What became of the messages, the oldest first."""
        rows = await self.house.sql(
            "SELECT l.outcome, l.guard FROM tidings.message_auto_response_log AS l "
            "JOIN tidings.messages AS m ON m.organization_id = l.organization_id "
            "AND m.id = l.message_id WHERE l.organization_id = %s ORDER BY m.position",
            self.team.organization_id,
        )
        return [tuple(row) for row in rows]


async def open_side(house: House, kind: str, address: str, *texts: str) -> Side:
    team = await house.team(address)
    side = Side(house, team, await house.api(team), address)
    made = await side.api.post("/v1/channels", json={"name": "x", "kind": kind, "timezone": "UTC"})
    side.channel_id = made.json()["id"]
    for text in texts or ("We are closed.",):
        rule = await side.api.post("/v1/auto-responses", json=RULE | {"response_template": text})
        assert rule.status_code == 201, rule.text
    await house.sql(
        "UPDATE tidings.send_policies SET hours_start = 0, hours_end = 1440, limits = '{}' "
        "WHERE organization_id = %s",
        team.organization_id,
    )
    return side


@asynccontextmanager
async def gateways(house: House, *sides: Side) -> AsyncIterator[list[FakeGateway]]:
    """Where what each of them sends arrives."""
    async with AsyncExitStack() as stack:
        opened = []
        for side in sides:
            gateway = await stack.enter_async_context(FakeGateway("whsec_unused"))
            made = await set_gateway(
                house.system.db,
                load_secret_keys(house.system.settings),
                side.team.people["owner"].tenant,
                "chat",
                gateway.url,
                allow_private=True,
            )
            gateway._secret = made.secret
            opened.append(gateway)
        yield opened


async def work(house: House) -> None:
    async with asyncio.timeout(300):  # the jobs that tests before it left are done first
        await build_worker(house.system, house.services.relay).run_until_empty()


async def two_minutes_later(house: House, *sides: Side) -> None:
    """What was logged is two minutes older: past every cooldown of these rules."""
    async with await psycopg.AsyncConnection.connect(house.superuser_url) as connection:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(
            "UPDATE tidings.message_auto_response_log SET created_at = created_at "
            "- interval '2 minutes' WHERE organization_id = ANY (%s)",
            [[side.team.organization_id for side in sides]],
        )


async def test_machines_that_nothing_marks_end(another_house: OpenHouse) -> None:
    """However slowly they answer, and whatever their rules and texts are."""
    async with another_house(live=False, gateway_private=True) as house:
        here = await open_side(house, "chat", "here", "We are closed, it is {time}.")
        there = await open_side(house, "chat", "there", "Away.", "Back on {day}.")
        async with gateways(house, here, there) as (from_here, from_there):
            await here.hear(0, "there", "A person begins.")
            rounds = 0
            for rounds in range(1, ROUNDS + 1):
                await work(house)
                arrived = 0
                for gateway, sender, to in ((from_here, here, there), (from_there, there, here)):
                    new = list(gateway.sent.values())[sender.carried :]
                    sender.carried += len(new)
                    for message in new:
                        assert message["to"] == to.address
                        await to.hear(100 * rounds, sender.address, message["content"])
                    arrived += len(new)
                if not arrived:
                    break
                await two_minutes_later(house, here, there)
            assert rounds < ROUNDS
            assert len(from_here.sent) == len(from_there.sent) == 5
            assert await here.log() == [("sent", None)] * 5 + [("stopped", "loop")]
            # A person of ours who writes to them makes it a conversation again.
            await here.hear(9000, "here", "Who is there?", direction="out")
            await here.hear(9001, "there", "It is me, a person.")
            await work(house)
            assert len(from_here.sent) == 6


async def test_mail_between_machines_ends_at_the_first(another_house: OpenHouse) -> None:
    """A burst is answered once; that answer says of itself that a machine wrote it (RFC 3834)."""
    async with FakeSmtp() as server:
        url, sender = SecretStr(server.url), "Here <here@house.example>"
        async with another_house(live=False, smtp_url=url, smtp_from=sender) as house:
            here = await open_side(house, "email", "here@house.example")
            there = await open_side(house, "email", "there@house.example")
            for number in range(4):
                await here.hear(number, there.address, f"A person wrote {number}.")

            def ours() -> list[Mail]:
                # What tests before this one left is sent by the same server.
                return [one for one in server.mails if one.recipients == [there.address]]

            await work(house)
            (mail,) = ours()
            headers = {name: str(value) for name, value in mail.parsed.items()}
            assert headers["Auto-Submitted"] == "auto-replied"
            await there.hear(0, here.address, mail.parsed.get_content(), headers=headers)
            await work(house)
            assert len(ours()) == 1
            assert [one for one in server.mails if one.recipients == [here.address]] == []
            assert await there.log() == [("stopped", "automatic")]


async def test_the_answer_of_a_person_stops_it_at_every_step(another_house: OpenHouse) -> None:
    async with another_house(live=False, gateway_private=True) as house:
        here = await open_side(house, "chat", "here")
        async with gateways(house, here) as (gateway,):
            # Before the rules are asked.
            await here.hear(1, "ana", "Hello?")
            await here.hear(2, "here", "Hello Ana.", direction="out")
            await work(house)
            assert await here.log() == [("stopped", "answered")]
            # Between the approval and the sending: it waits for other hours than these.
            start = (clock.now().hour + 12) % 24 * 60
            await house.sql(
                "UPDATE tidings.send_policies SET hours_start = %s, hours_end = %s "
                "WHERE organization_id = %s",
                start,
                start + 1,
                here.team.organization_id,
            )
            await here.hear(3, "bo", "Hello?")
            await work(house)
            await here.hear(4, "here", "Hello Bo.", direction="out")
            await house.sql(
                "UPDATE tidings.send_policies SET hours_start = 0, hours_end = 1440 "
                "WHERE organization_id = %s",
                here.team.organization_id,
            )
            await house.sql(
                "UPDATE tidings.jobs SET run_at = tidings.now() WHERE organization_id = %s "
                "AND kind = 'approvals.send'",
                here.team.organization_id,
            )
            await work(house)
            assert (await here.log())[1:] == [("sent", None)]
            states = await house.sql(
                "SELECT status, outcome FROM tidings.approvals WHERE organization_id = %s",
                here.team.organization_id,
            )
            assert states == [("cancelled", "answered")]
            assert gateway.sent == {}
