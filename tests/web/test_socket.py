"""The WebSocket door on a real server."""

import asyncio
import functools
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Close

from tidings.base.errors import CredentialInvalid, CursorInvalid, DatabaseUnavailable, RoleForbidden
from tidings.tenancy.api_keys import issue_key, revoke_key
from tidings.tenancy.members import change_role, remove_member
from tidings.web.socket import listening, protocol, session
from tidings.web.socket.messages import Leave, Presence
from web.house import House, Team, settings_for
from web.quiet import Quiet
from web.served import Served, serve
from web.sockets import PATIENCE, Socket, open_socket


class Room:
    """A new organization and its people's connections."""

    def __init__(self, served: Served, team: Team) -> None:
        self.served, self.team = served, team

    async def key(self, role: Any = "owner", *scopes: str) -> str:
        return await self.served.acall(self.served.house.key(self.team, role, scopes))

    async def sql(self, statement: str, *params: Any) -> list[Any]:
        return await self.served.acall(self.served.house.sql(statement, *params))


@pytest.fixture
async def room(served: Served) -> Room:
    return Room(served, await served.acall(served.house.team()))


@pytest.fixture
async def owner(room: Room) -> AsyncIterator[Socket]:
    async with open_socket(room.served.url, await room.key()) as socket:
        yield socket


@pytest.fixture
async def viewer(room: Room) -> AsyncIterator[Socket]:
    async with open_socket(room.served.url, await room.key("viewer")) as socket:
        yield socket


async def heard_to_the_end(socket: Socket) -> tuple[list[Any], tuple[int, str]]:
    """What comes until the connection is closed, and the code and reason of that."""
    heard = []
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                heard.append(json.loads(await socket.connection.recv()))
            except ConnectionClosed as ended:
                close = ended.rcvd or Close(1006, "no close was received")
                return heard, (close.code, close.reason)


async def closed(socket: Socket) -> tuple[int, str]:
    """The code and reason that a connection ends with."""
    return (await heard_to_the_end(socket))[1]


async def test_what_is_sent_to_a_room_reaches_who_is_in_it(owner: Socket, viewer: Socket) -> None:
    position = await viewer.join("room:a", "room:b")
    assert await owner.ask(type="broadcast", topic="room:b", event="hello", payload={"n": 1}) == {
        "type": "sent",
        "ref": 1,
    }
    await owner.tell(type="broadcast", topic="room:c", event="hello", payload="elsewhere")
    await owner.tell(type="broadcast", topic="room:a", event="bye", payload=[None, "ö", 2.5])
    first, second = await viewer.next(), await viewer.next()
    assert first.keys() == {"type", "topic", "event", "payload", "id", "at", "position"}
    assert (first["type"], first["topic"], first["event"]) == ("event", "room:b", "hello")
    assert first["payload"] == {"n": 1}
    assert (second["topic"], second["payload"]) == ("room:a", [None, "ö", 2.5])
    assert position < first["position"] < second["position"]


async def test_a_room_is_resumed_without_loss_or_repetition(room: Room, owner: Socket) -> None:
    key = await room.key("viewer")
    position = await owner.join("room:a")
    for n in range(5):
        await owner.ask(type="broadcast", topic="room:a", event="n", payload=n)
    async with open_socket(room.served.url, key) as late:
        await late.join("room:a", after=position)
        events = [await late.next() for _ in range(5)]
        assert [event["payload"] for event in events] == list(range(5))
    async with open_socket(room.served.url, key) as later:
        await later.join("room:a", after=events[2]["position"])
        await owner.ask(type="broadcast", topic="room:a", event="n", payload=5)
        assert await later.payloads(3) == [3, 4, 5]
        answer = await later.ask(type="join", topics=["room:b"], after=10**12)
        assert (answer["type"], answer["code"]) == ("error", "cursor_invalid")


async def test_what_is_ephemeral_is_shown_and_forgotten(owner: Socket, viewer: Socket) -> None:
    position = await viewer.join("room:a")
    sent = await owner.ask(
        type="broadcast", topic="room:a", event="cursor", payload={"x": 3}, ephemeral=True
    )
    assert sent["type"] == "sent"
    shown = await viewer.next()
    assert shown["payload"] == {"x": 3}
    assert "position" not in shown
    await owner.ask(type="broadcast", topic="room:a", event="kept", payload=1)
    assert (await viewer.next())["event"] == "kept"
    await viewer.ask(type="leave", topics=["room:a"])
    await viewer.join("room:a", after=position)
    assert (await viewer.next())["event"] == "kept"


async def test_who_left_hears_no_more(owner: Socket, viewer: Socket) -> None:
    await viewer.join("room:a", "room:b")
    left = await viewer.ask(type="leave", topics=["room:a", "room:never"])
    assert (left["type"], left["topics"]) == ("left", ["room:a", "room:never"])
    await owner.ask(type="broadcast", topic="room:a", event="n", payload="unheard")
    await owner.ask(type="broadcast", topic="room:b", event="n", payload="heard")
    assert await viewer.payloads(1) == ["heard"]
    await viewer.join("room:a")


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"type": "join", "topics": []}, "input_invalid"),
        ({"type": "join", "topics": ["kv"]}, "input_invalid"),
        ({"type": "join", "topics": ["access:me"]}, "input_invalid"),
        ({"type": "join", "topics": ["room:"]}, "not_found"),
        ({"type": "join", "topics": ["changes:users"]}, "input_invalid"),
        ({"type": "join", "topics": ["user:somebody"]}, "not_found"),
        ({"type": "join", "topics": [f"room:{n}" for n in range(101)]}, "input_invalid"),
        ({"type": "broadcast", "topic": "run:1", "event": "n"}, "input_invalid"),
        ({"type": "broadcast", "topic": "room:", "event": "n"}, "input_invalid"),
        ({"type": "broadcast", "topic": "room:a", "event": ""}, "input_invalid"),
        ({"type": "broadcast", "topic": "room:a", "event": "n" * 101}, "input_invalid"),
        ({"type": "broadcast", "topic": "room:a", "event": "\0"}, "input_invalid"),
        ({"type": "broadcast", "topic": "room:a", "event": "é" * 51}, "input_invalid"),
        ({"type": "broadcast", "topic": "room:" + "é" * 255, "event": "n"}, "input_invalid"),
        ({"type": "broadcast", "topic": "room:a", "event": "presence"}, "input_invalid"),
        ({"type": "join", "topics": ["room:" + "é" * 255]}, "input_invalid"),
        ({"type": "broadcast", "topic": "room:a", "event": "n", "payload": "\0"}, "input_invalid"),
        (
            {"type": "broadcast", "topic": "room:a", "event": "n", "payload": "x" * 262_145},
            "body_too_large",
        ),
        (
            {
                "type": "broadcast",
                "topic": "room:a",
                "event": "n",
                "payload": "x" * 4096,
                "ephemeral": True,
            },
            "body_too_large",
        ),
    ],
)
async def test_what_cannot_be_done_is_said(
    owner: Socket, request_: dict[str, Any], code: str
) -> None:
    answer = await owner.ask(**request_)
    assert (answer["type"], answer["code"]) == ("error", code)
    await owner.join("room:still-there")


@pytest.mark.parametrize("text", ["", "nothing", "[]", '{"type": "sing"}', "[" * 100_000])
async def test_what_is_no_request_is_answered(owner: Socket, text: str) -> None:
    await owner.connection.send(text)
    answer = await owner.next()
    assert (answer["type"], answer["code"], answer["ref"]) == ("error", "input_invalid", None)


@pytest.mark.parametrize("ephemeral", ["true", "false"])
@pytest.mark.parametrize("payload", [b"1e5000", b'"\xff"', b"[" * 257 + b"1" + b"]" * 257])
async def test_what_nobody_could_be_handed_is_refused(
    owner: Socket, payload: bytes, ephemeral: str
) -> None:
    await owner.join("room:a")
    start = b'{"type":"broadcast","topic":"room:a","event":"n","ephemeral":%b,"payload":'
    await owner.connection.send(start % ephemeral.encode() + payload + b"}", text=True)
    assert (await owner.next())["code"] == "input_invalid"
    await owner.ask(type="broadcast", topic="room:a", event="n", payload=[[1e308]])
    assert await owner.payloads(1) == [[[10**308]]]


async def test_joining_twice_is_refused(owner: Socket) -> None:
    await owner.join("room:a")
    assert (await owner.ask(type="join", topics=["room:a"]))["code"] == "state_conflict"
    many = [f"room:{n}" for n in range(100)]
    assert (await owner.ask(type="join", topics=many))["code"] == "input_invalid"


async def test_a_viewer_listens_and_does_not_send(viewer: Socket) -> None:
    answer = await viewer.ask(type="broadcast", topic="room:a", event="n")
    assert answer["code"] == "role_forbidden"


async def test_scopes_bound_what_is_heard(room: Room) -> None:
    async with open_socket(room.served.url, await room.key("owner", "meetings")) as socket:
        await socket.join("changes:meetings")
        assert (await socket.ask(type="join", topics=["room:a"]))["code"] == "role_forbidden"
        sent = await socket.ask(type="broadcast", topic="room:a", event="n")
        assert sent["code"] == "role_forbidden"


async def test_other_organizations_hear_nothing(room: Room, owner: Socket) -> None:
    served = room.served
    strangers = await served.acall(served.house.team("Strangers"))
    key = await served.acall(served.house.key(strangers))
    async with open_socket(served.url, key) as stranger:
        await stranger.join("room:a")
        await owner.ask(type="broadcast", topic="room:a", event="n", payload="ours")
        await owner.ask(type="broadcast", topic="room:a", event="n", payload="ours", ephemeral=True)
        await stranger.ask(type="broadcast", topic="room:a", event="n", payload="theirs")
        assert await stranger.payloads(1) == ["theirs"]


async def test_a_person_has_a_topic_of_their_own(room: Room, owner: Socket, viewer: Socket) -> None:
    topic = f"user:{room.team.people['viewer'].tenant.user_id}"
    await viewer.join(topic)
    await owner.ask(type="broadcast", topic=topic, event="note", payload="for you")
    assert await viewer.payloads(1) == ["for you"]
    assert (await owner.ask(type="join", topics=[topic]))["code"] == "not_found"


async def test_row_changes_reach_who_may_read_them(
    room: Room, owner: Socket, viewer: Socket
) -> None:
    await owner.join("changes:keys", "changes:meetings")
    await viewer.join("changes:keys", "changes:meetings")
    db = room.served.house.system.db
    people = room.team.people
    mine = await room.served.acall(issue_key(db, people["owner"].tenant, "Mine"))
    theirs = await room.served.acall(issue_key(db, people["viewer"].tenant, "Theirs"))
    await room.served.acall(revoke_key(db, people["viewer"].tenant, theirs.id))
    seen = await named(owner, 3)
    assert [(event["event"], event["payload"]["id"]) for event in seen] == [
        ("insert", str(mine.id)),
        ("insert", str(theirs.id)),
        ("update", str(theirs.id)),
    ]
    assert seen[0]["payload"].keys() == {"id", "user_id", "name", "prefix", "role", "revoked_at"}
    own = await named(viewer, 2)
    assert [event["payload"]["id"] for event in own] == [str(theirs.id)] * 2


async def named(socket: Socket, count: int) -> list[dict[str, Any]]:
    """The next events of keys but those that the connections themselves were opened with."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        event = await socket.next()
        if event["payload"]["name"] != "Test":
            found.append(event)
    return found


# Rights that change.


async def test_a_removed_member_is_cut_off(room: Room, owner: Socket, viewer: Socket) -> None:
    await viewer.join("room:a")
    people = room.team.people
    await room.served.acall(
        remove_member(
            room.served.house.system.db, people["owner"].tenant, people["viewer"].tenant.user_id
        )
    )
    await owner.ask(type="broadcast", topic="room:a", event="n", payload="not for them")
    assert await heard_to_the_end(viewer) == ([], (4001, "your access has ended"))


async def test_a_revoked_key_is_cut_off(room: Room) -> None:
    db, tenant = room.served.house.system.db, room.team.people["member"].tenant
    issued = await room.served.acall(issue_key(db, tenant, "Short"))
    async with open_socket(room.served.url, issued.key) as socket:
        await socket.join("room:a")
        await room.served.acall(revoke_key(db, tenant, issued.id))
        assert await closed(socket) == (4001, "your access has ended")


async def test_a_disabled_person_is_cut_off(room: Room, viewer: Socket) -> None:
    await viewer.join("room:a")
    await room.sql(
        "UPDATE tidings.users SET disabled_at = now() WHERE id = %s",
        room.team.people["viewer"].tenant.user_id,
    )
    assert (await closed(viewer))[0] == 4001


async def test_a_changed_role_counts_at_once(room: Room, owner: Socket) -> None:
    people = room.team.people
    db = room.served.house.system.db
    async with open_socket(room.served.url, await room.key("admin")) as admin:
        await admin.join("room:a", "changes:keys")
        await room.served.acall(
            change_role(db, people["owner"].tenant, people["admin"].tenant.user_id, "viewer")
        )
        async with asyncio.timeout(PATIENCE):
            while (await admin.ask(type="broadcast", topic="room:b", event="n"))["type"] == "sent":
                pass
        # Goes on where it was, with what a viewer may see.
        await room.served.acall(issue_key(db, people["owner"].tenant, "Not theirs"))
        await owner.ask(type="broadcast", topic="room:a", event="n", payload="heard")
        events = [await admin.next()]
        while events[-1]["event"] != "n":
            events.append(await admin.next())
        shown = [event["payload"].get("name") for event in events[:-1]]
        assert "Not theirs" not in shown


async def test_rights_that_expire_are_noticed(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "LOOK", 0.05)
    async with open_socket(room.served.url, await room.key("member")) as socket:
        await socket.join("room:a")
        await room.sql(
            "UPDATE tidings.api_keys SET expires_at = now() - interval '1 hour' WHERE user_id = %s",
            room.team.people["member"].tenant.user_id,
        )
        assert (await closed(socket))[0] == 4001


# Coming in.


async def status(url: str, key: str | None = None, **headers: str) -> tuple[int, dict[str, Any]]:
    with pytest.raises(InvalidStatus) as refused:
        async with open_socket(url, key, **headers):
            pass
    response = refused.value.response
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, json.loads(response.body or b"{}")


async def test_nobody_comes_in_without_a_credential(served: Served) -> None:
    code, problem = await status(served.url)
    assert (code, problem["code"]) == (401, "credential_missing")
    code, problem = await status(served.url, "tk_" + "x" * 43)
    assert (code, problem["code"]) == (401, "credential_invalid")


async def test_there_is_no_other_socket(served: Served, room: Room) -> None:
    key = await room.key()
    code, problem = await status(f"{served.url}/v1/realtime/ws/other?path=", key)
    assert (code, problem["code"]) == (404, "not_found")


async def test_a_cookie_counts_from_our_own_pages_alone(room: Room) -> None:
    served = room.served
    browser = await served.acall(served.house.browser(room.team))
    token = browser.client.cookies["tidings_session"]
    host = served.url.partition("//")[2]
    cookie = {"cookie": f"tidings_session={token}"}
    async with open_socket(served.url, None, origin=f"http://{host}", **cookie) as socket:
        await socket.join("room:a")
    for origin in ("https://evil.example", f"http://{host}.evil.example", "null"):
        code, problem = await status(served.url, None, origin=origin, **cookie)
        assert (code, problem["code"]) == (403, "csrf_invalid")
    assert (await status(served.url, None, **cookie))[0] == 403


# The wire.


async def test_binary_messages_end_the_connection(owner: Socket) -> None:
    await owner.connection.send(b"\0\1")
    assert (await closed(owner))[0] == 1003


async def test_messages_may_come_in_pieces(owner: Socket) -> None:
    await owner.connection.send(['{"type": "join", ', '"ref": "r", ', '"topics": ["room:a"]}'])
    assert (await owner.next())["type"] == "joined"


async def test_too_long_a_message_ends_the_connection(owner: Socket) -> None:
    await owner.connection.send("x" * (protocol.LONGEST_MESSAGE + 1))
    assert (await closed(owner))[0] == 1009


async def test_a_silent_connection_is_given_up(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "BEAT", 0.05)
    host, _, port = room.served.url.partition("//")[2].partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"GET /v1/realtime/ws HTTP/1.1\r\nHost: {host}\r\n"
        f"Authorization: Bearer {await room.key()}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    async with asyncio.timeout(PATIENCE):
        with suppress(ConnectionResetError):
            assert (await reader.read()).endswith(b"\x89\x00")
    writer.close()


async def test_a_slow_consumer_is_dropped_and_resumes(
    room: Room, owner: Socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "MOST_UNSENT", 64 * 1024)
    monkeypatch.setattr(protocol, "FAREWELL", 600.0)  # it reads on once all was sent
    key = await room.key("viewer")
    count = 200
    async with open_socket(room.served.url, key) as slow:
        await slow.join("room:a")
        slow.connection.transport.pause_reading()
        for n in range(count):
            payload = {"n": n, "pad": "x" * 100_000}
            await owner.ask(type="broadcast", topic="room:a", event="n", payload=payload)
        slow.connection.transport.resume_reading()
        events, (code, reason) = await heard_to_the_end(slow)
    assert code == 4008
    position = int(reason.rpartition(" ")[2])
    seen = [event["payload"]["n"] for event in events]
    assert seen == list(range(len(seen)))
    assert len(seen) < count
    async with open_socket(room.served.url, key) as again:
        await again.join("room:a", after=position)
        rest = [event["n"] for event in await again.payloads(count - len(seen))]
    assert rest == list(range(len(seen), count))


async def test_a_client_that_asks_too_fast_is_read_no_faster(
    room: Room, owner: Socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause, paused = protocol.SocketProtocol.pause, []
    broadcasts, may_answer = room.served.house.services.broadcasts, asyncio.Event()
    send = broadcasts.send

    def noted(connection: protocol.SocketProtocol, is_paused: bool) -> None:
        pause(connection, is_paused)
        assert connection._transport is not None
        paused.append((is_paused, connection._transport.is_reading()))
        # Once all that was read with it waits, so that nothing overtakes.
        asyncio.get_running_loop().call_later(0, may_answer.set)

    async def held(*message: Any) -> None:
        """Slower than any client asks, until it is paused."""
        await may_answer.wait()
        await send(*message)

    async def subscriptions() -> int:
        keys = [keys[0] for keys in room.served.house.services.hub._topics.values()]
        return sum(organization == room.team.organization_id for organization, _ in keys)

    monkeypatch.setattr(protocol.SocketProtocol, "pause", noted)
    monkeypatch.setattr(broadcasts, "send", held)
    count = session.MOST_PENDING * 4
    await owner.join("room:a")
    before = await room.served.acall(subscriptions())
    for n in range(count):
        await owner.tell(type="broadcast", topic="room:a", event="n", payload=n)
    assert await owner.payloads(count) == list(range(count))
    await owner.ask(type="leave", topics=["room:never"])  # behind all that was begun meanwhile
    assert await room.served.acall(subscriptions()) == before
    assert set(paused) == {(True, False), (False, True)}


async def test_who_cannot_be_told_what_was_missed_is_sent_away(
    room: Room, owner: Socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    position = await owner.join("room:a")

    async def away(*_: Any) -> Any:
        raise DatabaseUnavailable

    monkeypatch.setattr(room.served.house.services.hub, "_read_topics", away)
    await owner.tell(type="join", topics=["room:b"], after=position)
    assert await closed(owner) == (1013, "database_unavailable")


# The parts, one by one.


class Stuck:
    """A line that nothing can be written to until it `flows`."""

    def __init__(self) -> None:
        self.flows, self.waits = asyncio.Event(), asyncio.Event()
        self.written: list[bytes] = []
        self.closed: tuple[int, str] | None = None

    def push(self, data: bytes) -> bool:
        if self.flows.is_set():
            self.written.append(data)
        return self.flows.is_set()

    async def drain(self) -> None:
        self.waits.set()
        await self.flows.wait()

    def pause(self, paused: bool) -> None:
        """Nobody reads."""

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)


async def test_what_waits_to_be_written_does_not_count_as_heard(quiet: Quiet) -> None:
    """A client that is slow to catch up with one topic, and dropped for another, resumes there."""
    line, access = Stuck(), await quiet.access()
    hears = listening.Listening(quiet.services.hub, line)
    position = await hears.join(access, ["room:b"], None)
    await quiet.send("missed")
    await hears.join(access, ["room:a"], position)
    async with asyncio.timeout(PATIENCE):
        await line.waits.wait()
    await quiet.send("live", topic="room:b")
    assert line.closed == (4008, f"too slow; resume after {position}")
    assert quiet.services.hub.subscriptions == 0


async def test_those_who_wait_to_write_go_on_one_by_one(house: House) -> None:
    line = protocol.SocketProtocol(uvicorn.Config(house.app), ServerState(), {})
    written: list[int] = []

    async def write(n: int) -> None:
        await line.drain()
        written.append(n)
        line.pause_writing()

    line.pause_writing()
    writers = [asyncio.create_task(write(n)) for n in range(3)]
    for count in (1, 2, 3):
        line.resume_writing()
        for _ in range(5):  # whoever could go on has gone on
            await asyncio.sleep(0)
        assert len(written) == count
    await asyncio.gather(*writers)


async def test_what_was_asked_before_the_end_is_not_done_after_it(
    quiet: Quiet, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, asked, may_answer = Stuck(), asyncio.Event(), asyncio.Event()
    sent: list[Any] = []

    async def ended(*_: Any) -> Any:
        asked.set()
        await may_answer.wait()
        raise CredentialInvalid

    async def send(*message: Any) -> None:
        sent.append(message)

    monkeypatch.setattr(session, "renew_access", ended)
    monkeypatch.setattr(quiet.services.broadcasts, "send", send)
    one = session.Session(quiet.services, await quiet.access(), line)
    one.begin()
    async with asyncio.timeout(PATIENCE):
        await asked.wait()
    one.receive(b'{"type":"broadcast","topic":"room:a","event":"n"}')
    may_answer.set()
    for _ in range(10):
        await asyncio.sleep(0)
    assert line.closed == (4001, "your access has ended")
    assert sent == []
    one.begin()
    assert not one._tasks


async def test_what_could_not_be_hidden_is_hidden_at_the_end(
    quiet: Quiet, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> Any:
        raise DatabaseUnavailable

    access = await quiet.access()
    one = session.Session(quiet.services, access, Stuck())
    await one._listening.join(access, ["room:a"], None)
    await one._show(Presence("room:a", 1))
    with monkeypatch.context() as broken:
        broken.setattr(quiet.services.presences, "hide", away)
        for leave in (one._show(Presence("room:a")), one._leave(Leave(["room:a"]))):
            with pytest.raises(DatabaseUnavailable):
                await leave
    one.end()
    await asyncio.gather(*quiet.services.presences._leaving)
    assert await quiet.services.presences.who(quiet.tenant, "room:a") == []


async def test_one_timer_looks_at_rights(quiet: Quiet) -> None:
    one = session.Session(quiet.services, await quiet.access(), Stuck())
    await one._hold_rights(is_first=True)
    first = one._timer
    await one._hold_rights(is_first=False)
    assert first is not None
    assert first.cancelled()
    one.end()


# Presence.


async def test_who_is_in_a_room_is_told_and_shown(
    room: Room, owner: Socket, viewer: Socket
) -> None:
    people = room.team.people
    await owner.join("room:a")
    assert (await owner.ask(type="who", topic="room:a"))["present"] == []
    assert await owner.ask(type="presence", topic="room:a", state={"at": "desk"}) == {
        "type": "done",
        "ref": 3,
    }
    first = await owner.next()
    assert (first["event"], first["payload"]["op"]) == ("presence", "join")
    await viewer.join("room:a")
    here = await viewer.ask(type="who", topic="room:a")
    (present,) = here["present"]
    assert present["user_id"] == str(people["owner"].tenant.user_id)
    assert (present["name"], present["state"]) == ("The Owner", {"at": "desk"})
    assert present["id"] == first["payload"]["id"]
    await viewer.ask(type="presence", topic="room:a", state="reading")
    await owner.ask(type="presence", topic="room:a", state={"at": "door"})
    await owner.ask(type="presence", topic="room:a", state=None)
    shown = [(await viewer.next())["payload"] for _ in range(3)]
    assert [(one["op"], one["state"]) for one in shown] == [
        ("join", "reading"),
        ("update", {"at": "door"}),
        ("leave", {"at": "door"}),
    ]


async def test_who_goes_is_seen_to_go(room: Room, owner: Socket) -> None:
    await owner.join("room:a", "room:b")
    async with open_socket(room.served.url, await room.key("member")) as member:
        await member.join("room:a", "room:b")
        for topic in ("room:a", "room:b"):
            await member.ask(type="presence", topic=topic, state=1)
        await member.ask(type="leave", topics=["room:b"])
        seen = [await owner.next() for _ in range(3)]
    seen.append(await owner.next())  # the connection ended
    assert [(event["topic"], event["payload"]["op"]) for event in seen] == [
        ("room:a", "join"),
        ("room:b", "join"),
        ("room:b", "leave"),
        ("room:a", "leave"),
    ]
    assert (await owner.ask(type="who", topic="room:a"))["present"] == []


async def test_a_removed_member_is_seen_to_go(room: Room, owner: Socket, viewer: Socket) -> None:
    people = room.team.people
    await owner.join("room:a")
    await viewer.join("room:a")
    await viewer.ask(type="presence", topic="room:a", state=1)
    await room.served.acall(
        remove_member(
            room.served.house.system.db, people["owner"].tenant, people["viewer"].tenant.user_id
        )
    )
    assert [(await owner.next())["payload"]["op"] for _ in range(2)] == ["join", "leave"]


def nest(value: Any, _n: int) -> list[Any]:
    return [value]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"type": "presence", "topic": "room:b", "state": 1}, "state_conflict"),
        ({"type": "who", "topic": "room:b"}, "state_conflict"),
        ({"type": "presence", "topic": "changes:meetings", "state": 1}, "input_invalid"),
        ({"type": "presence", "topic": "room:a", "state": "\0"}, "input_invalid"),
        ({"type": "presence", "topic": "room:a", "state": "x" * 4095}, "body_too_large"),
        (
            {"type": "presence", "topic": "room:a", "state": functools.reduce(nest, range(257), 1)},
            "input_invalid",
        ),
    ],
)
async def test_what_cannot_be_shown_is_said(
    owner: Socket, request_: dict[str, Any], code: str
) -> None:
    await owner.join("room:a", "changes:meetings")
    assert (await owner.ask(**request_))["code"] == code


async def raw(room: Room, *headers: str) -> bytes:
    """The answer to a handshake written by hand, until the server closes."""
    host, _, port = room.served.url.partition("//")[2].partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = ["GET /v1/realtime/ws HTTP/1.1", f"Host: {host}", "Upgrade: websocket", *headers]
    writer.write("\r\n".join([*lines, "Connection: Upgrade", "", ""]).encode())
    async with asyncio.timeout(PATIENCE):
        answer = await reader.read()
    writer.close()
    return answer


async def test_a_broken_handshake_is_refused(room: Room) -> None:
    authorization = f"Authorization: Bearer {await room.key()}"
    answer = await raw(room, authorization, "Sec-WebSocket-Version: 13")
    assert answer.startswith(b"HTTP/1.1 400 ")
    answer = await raw(room, authorization, "Sec-WebSocket-Key: eA==", "Sec-WebSocket-Version: 8")
    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_an_emoji_spelled_as_a_pair_is_text(owner: Socket) -> None:
    await owner.join("room:a")
    spelled = r'{"type":"broadcast","topic":"room:a","event":"n","payload":"\ud83d\ude00"}'
    await owner.connection.send(spelled)
    assert await owner.payloads(1) == ["\N{GRINNING FACE}"]
    await owner.connection.send(spelled.replace(r"\ude00", ""))
    assert (await owner.next())["code"] == "input_invalid"


async def test_what_may_not_be_heard_any_more_is_left(
    room: Room, owner: Socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a change of rights: a topic that is refused, and one whose events were swept."""
    await owner.join("room:a")
    await owner.join("changes:meetings")
    await owner.join("room:b")

    def allowed(_access: Any, topics: list[str], *, write: bool = False) -> None:
        if topics == ["changes:meetings"]:
            raise RoleForbidden

    monkeypatch.setattr(listening, "check_areas", allowed)
    hub = room.served.house.services.hub
    join = hub.join

    async def swept(tenant: Any, topics: Any, **more: Any) -> Any:
        if topics == ["room:b"]:
            raise CursorInvalid
        return await join(tenant, topics, **more)

    monkeypatch.setattr(hub, "join", swept)
    tenant = room.team.people["owner"].tenant
    tell = "SELECT tidings.publish_access_v1(%s, %s)"
    await room.sql(tell, tenant.organization_id, tenant.user_id)
    left = [await owner.next() for _ in range(2)]
    assert [(one["topics"], one["code"]) for one in left] == [
        (["changes:meetings"], "role_forbidden"),
        (["room:b"], "cursor_invalid"),
    ]
    await owner.ask(type="broadcast", topic="room:a", event="n", payload="heard")
    assert await owner.payloads(1) == ["heard"]


@pytest.mark.parametrize(
    ("error", "code"),
    [(DatabaseUnavailable, "database_unavailable"), (ZeroDivisionError, "internal_error")],
)
async def test_where_rights_are_unknown_nobody_is_trusted(
    room: Room, owner: Socket, monkeypatch: pytest.MonkeyPatch, error: Any, code: str
) -> None:
    await owner.join("room:a")

    async def away(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(session, "renew_access", away)
    tenant = room.team.people["owner"].tenant
    tell = "SELECT tidings.publish_access_v1(%s, %s)"
    await room.sql(tell, tenant.organization_id, tenant.user_id)
    assert await closed(owner) == (1013, code)


async def test_a_server_that_stops_says_so(
    cluster: Any, database_name: str, superuser_url: str
) -> None:
    url = cluster.url("tidings_app", database_name)
    with serve(settings_for(url), url, superuser_url) as served:
        team = await served.acall(served.house.team())
        key = await served.acall(served.house.key(team))
        context = open_socket(served.url, key)
        socket = await context.__aenter__()
        await socket.join("room:a")
    assert await closed(socket) == (1012, "the server restarts")
    await context.__aexit__(None, None, None)
