"""A board with many people at once, on a real server: who is here, where they point, edits."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from tidings.base.authorities import authorities
from tidings.tenancy.api_keys import issue_key
from tidings.web.socket.cursors import PACE
from tidings.web.socket.messages import Place
from tidings.web.socket.session import Session
from web.house import Team
from web.quiet import Quiet
from web.served import Served
from web.sockets import PATIENCE, Socket, open_socket

from factories.boards import make_board
from factories.organizations import Organization, add_member

EDITORS = 20
RIVALS = 6


class Room:
    """A board of the owner, and connections of people."""

    def __init__(self, served: Served, team: Team, session_id: Any, stack: AsyncExitStack) -> None:
        self.served, self.team, self.stack = served, team, stack
        self.session_id, self.topic = session_id, f"brainstorm:{session_id}"

    async def api(self, role: Any = "owner") -> httpx.AsyncClient:
        key = await self.served.acall(self.served.house.key(self.team, role))
        client = httpx.AsyncClient(
            base_url=f"{self.served.url}/v1/brainstorms/{self.session_id}",
            headers={"authorization": f"Bearer {key}"},
            trust_env=False,
            timeout=PATIENCE,
            verify=authorities(),
        )
        return await self.stack.enter_async_context(client)

    async def socket(self, role: Any = "owner") -> Socket:
        key = await self.served.acall(self.served.house.key(self.team, role))
        return await self.stack.enter_async_context(open_socket(self.served.url, key))

    async def seen(self, role: Any = "owner") -> Socket:
        """Somebody who is seen on the board."""
        socket = await self.socket(role)
        await socket.join(self.topic)
        assert (await socket.ask(type="presence", topic=self.topic, state={}))["type"] == "done"
        return socket

    async def who(self, socket: Socket) -> list[str]:
        here = await socket.ask(type="who", topic=self.topic)
        return [one["user_id"] for one in here["present"]]

    def user(self, role: str) -> str:
        return str(self.team.people[role].tenant.user_id)


@pytest.fixture
async def room(served: Served) -> AsyncIterator[Room]:
    team = await served.acall(served.house.team())
    tenants = {role: person.tenant for role, person in team.people.items()}
    shared = ((tenants["member"], "editor"), (tenants["viewer"], "viewer"))
    session_id, _ = await served.acall(
        make_board(served.house.system.db, tenants["owner"], "First", shared=shared)
    )
    async with AsyncExitStack() as stack:
        yield Room(served, team, session_id, stack)


async def presence(socket: Socket, op: str) -> dict[str, Any]:
    """The next presence of that kind."""
    while True:
        event = await socket.next()
        if event.get("event") == "presence" and event["payload"]["op"] == op:
            return event["payload"]


async def cursor(socket: Socket) -> dict[str, Any]:
    while True:
        event = await socket.next()
        if event.get("event") == "cursor":
            return event


async def test_the_people_of_a_board_see_each_other(room: Room) -> None:
    owner = await room.seen("owner")
    viewer = await room.seen("viewer")
    assert sorted(await room.who(viewer)) == sorted([room.user("owner"), room.user("viewer")])
    here = await viewer.ask(type="who", topic=room.topic)
    assert here["you"] in {one["id"] for one in here["present"]}
    # A viewer points too: they may not write, but they are there.
    place = {"over": "a-card", "x": 0.25, "y": 1.0}
    told = {"id": here["you"], "user_id": room.user("viewer"), "at": place}
    assert (await viewer.ask(type="cursor", topic=room.topic, at=place))["type"] == "done"
    shown = await cursor(owner)
    assert shown["payload"] == told
    assert "position" not in shown  # nothing of it is kept
    assert (
        await room.served.acall(
            room.served.house.sql(
                "SELECT count(*) FROM tidings.outbox WHERE topic = %s AND event = 'cursor'",
                room.topic,
            )
        )
    )[0][0] == 0
    await viewer.ask(type="leave", topics=[room.topic])
    assert (await presence(owner, "leave"))["user_id"] == room.user("viewer")


@pytest.mark.parametrize("role", ["admin", "other"])
async def test_nobody_else_comes_in(room: Room, role: str) -> None:
    """Not an admin of the organization, nor the owner of another one."""
    owner = await room.seen("owner")
    if role == "other":
        room.team, role = await room.served.acall(room.served.house.team()), "owner"
    other = await room.socket(role)
    assert (await other.ask(type="join", topics=[room.topic]))["code"] == "not_found"
    for request in (
        {"type": "presence", "state": {}},
        {"type": "who"},
        {"type": "cursor", "at": {"x": 0, "y": 0}},
    ):
        assert (await other.ask(topic=room.topic, **request))["code"] == "state_conflict"
    assert len(await room.who(owner)) == 1


async def test_who_is_taken_out_is_gone_at_once(room: Room) -> None:
    owner, member = await room.seen("owner"), await room.seen("member")
    api = await room.api()
    assert (await api.delete(f"/collaborators/{room.user('member')}")).status_code == 204
    assert (await presence(owner, "leave"))["user_id"] == room.user("member")
    left = await member.next()
    while left["type"] != "left":
        left = await member.next()
    assert (left["topics"], left["code"]) == ([room.topic], "not_found")
    refused = await member.ask(type="cursor", topic=room.topic, at={"x": 0, "y": 0})
    assert refused["code"] == "state_conflict"
    # Nor does the renewal of who is there bring them back.
    await room.served.acall(room.served.house.services.presences.renew())
    assert await room.who(owner) == [room.user("owner")]


async def test_a_deleted_board_is_left_by_everybody(room: Room) -> None:
    owner = await room.seen("owner")
    api = await room.api()
    assert (await api.delete("")).status_code == 204
    assert (await presence(owner, "leave"))["user_id"] == room.user("owner")


@pytest.mark.parametrize(
    "request_",
    [
        {"type": "cursor", "at": {"x": 1.5, "y": 0}},
        {"type": "cursor", "at": {"x": 0, "y": 0, "over": "x" * 65}},
        {"type": "broadcast", "event": "cursor", "ephemeral": True},
        {"type": "broadcast", "event": "operation"},
        {"type": "cursor", "topic": "room:a"},
    ],
)
async def test_what_nobody_sends_to_a_board(room: Room, request_: dict[str, Any]) -> None:
    """Places outside of it, or events that only the service writes."""
    member = await room.seen("member")
    await member.tell(**({"topic": room.topic} | request_))
    while (answer := await member.next())["type"] != "error":
        pass
    assert answer["code"] == "input_invalid"


async def test_a_cursor_moves_ten_times_a_second_at_most(room: Room) -> None:
    owner, member = await room.seen("owner"), await room.seen("member")
    begun = time.monotonic()
    for n in range(200):
        await member.tell(type="cursor", topic=room.topic, at={"x": n / 200, "y": 0})
    await member.ask(type="cursor", topic=room.topic, at=None)
    shown = 0
    while (await cursor(owner))["payload"]["at"] is not None:
        shown += 1
    # The first at once, then one a turn; the last is never left out.
    assert 1 <= shown <= 2 + (time.monotonic() - begun) / PACE


class Deaf:
    """A line on which nobody listens."""

    def push(self, data: bytes) -> bool:
        return True


async def test_a_place_is_told_only_while_one_is_let_in(
    quiet: Quiet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was on its way when rights were taken does not leave any more."""
    told: list[Any] = []
    monkeypatch.setattr(quiet.services.broadcasts, "point", lambda *given: told.append(given))
    session = Session(quiet.services, await quiet.access(), Deaf())  # type: ignore[arg-type]
    await session._listening.join(session._access, ["room:a"], None)
    session._shown.add("room:a")
    session._tell_cursor("room:a", Place(0, 0))
    session._in_doubt = True
    session._tell_cursor("room:a", Place(0, 0))
    session._in_doubt = False
    session._listening.leave(["room:a"])
    session._tell_cursor("room:a", Place(0, 0))
    session.end()
    assert len(told) == 1


async def test_twenty_edit_over_http_and_nothing_is_lost(room: Room) -> None:
    """All add, vote and move; six append to one text, and who is refused reads it again."""
    team, house = room.team, room.served.house
    organization = Organization(team.organization_id, team.people["owner"].tenant.user_id)
    owner = await room.api()

    async def arrive() -> httpx.AsyncClient:
        tenant = await add_member(house.superuser_url, organization, "member")
        issued = await room.served.acall(issue_key(house.system.db, tenant, "Test"))
        shared = await owner.put(f"/collaborators/{tenant.user_id}", json={"role": "editor"})
        assert shared.status_code == 204
        client = httpx.AsyncClient(
            base_url=owner.base_url,
            headers={"authorization": f"Bearer {issued.key}"},
            trust_env=False,
            timeout=PATIENCE,
            verify=authorities(),
        )
        return await room.stack.enter_async_context(client)

    clients = await asyncio.gather(*(arrive() for _ in range(EDITORS)))
    # What is added comes after this one, so that each move to the first is a change.
    (await owner.post("/ideas", json={"text": "Last"})).raise_for_status()
    board = (await owner.get("")).json()
    begun, first = board["session"]["version"], board["ideas"][0]["id"]
    refused, all_have_read = 0, asyncio.Barrier(RIVALS)

    async def edit(n: int, client: httpx.AsyncClient) -> None:
        nonlocal refused
        added = await client.post("/ideas", json={"text": f"Of {n}"})
        assert added.status_code == 201, added.text
        assert (await client.put(f"/ideas/{first}/vote")).status_code == 200
        moved = await client.patch(f"/ideas/{added.json()['id']}", json={"after": first})
        assert moved.status_code == 200, moved.text
        has_read = False
        while n < RIVALS:
            read = await client.get("")
            text = next(one["text"] for one in read.json()["ideas"] if one["id"] == first)
            seen = {"if-match": read.headers["etag"]}
            if not has_read:
                await all_have_read.wait()  # before the first of them writes
                has_read = True
            change = {"text": f"{text} {n}"}
            answer = await client.patch(f"/ideas/{first}", json=change, headers=seen)
            if answer.status_code == 200:
                return
            assert answer.status_code == 412, answer.text
            refused += 1

    await asyncio.gather(*(edit(n, client) for n, client in enumerate(clients)))
    board = (await owner.get("")).json()
    texts = {one["id"]: one["text"] for one in board["ideas"]}
    assert sorted(texts[first].split()[1:], key=int) == [str(n) for n in range(RIVALS)]
    assert set(texts.values()) >= {f"Of {n}" for n in range(EDITORS)}
    assert next(one["votes"] for one in board["ideas"] if one["id"] == first) == EDITORS
    done = (await owner.get(f"/operations?after={begun}&limit=500")).json()["items"]
    # An idea, a vote and a move of each, the rivals' texts: numbered without a gap.
    last = begun + 3 * EDITORS + RIVALS
    assert [one["version"] for one in done] == list(range(begun + 1, last + 1))
    assert refused >= RIVALS - 1
