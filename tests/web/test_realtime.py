"""Server-sent events of several topics, and sending over HTTP, on a real server."""

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest

from tidings.base.authorities import authorities
from tidings.realtime.outbox import publish
from tidings.realtime.subscription import Subscription
from tidings.tenancy.api_keys import issue_key, revoke_key
from tidings.tenancy.members import change_role, remove_member
from tidings.web import live, stream
from tidings.web.live import open_stream
from web.house import Team
from web.quiet import Quiet
from web.served import Served
from web.sockets import PATIENCE


class Person:
    """An API key of a new organization, and a client that uses it."""

    def __init__(self, served: Served, team: Team, client: httpx.AsyncClient) -> None:
        self.served, self.team, self.client = served, team, client

    async def send(self, topic: str, payload: Any, event: str = "n") -> None:
        body = {"topic": topic, "event": event, "payload": payload}
        answer = await self.client.post("/v1/realtime/broadcast", json=body)
        assert answer.status_code == 202, answer.text

    @asynccontextmanager
    async def listen(self, *topics: str, **headers: str) -> AsyncIterator["Told"]:
        params = [("topics", topic) for topic in topics]
        async with self.client.stream(
            "GET", "/v1/realtime", params=params, headers=headers
        ) as answer:
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield Told(answer)


class Told:
    """A stream's events, one after the other."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()
        self.comments = 0

    async def next(self) -> dict[str, Any]:
        """Fields of the next event; `data` decoded. Raises StopAsyncIteration at the end."""
        fields: dict[str, Any] = {}
        async with asyncio.timeout(PATIENCE):
            while (line := await anext(self._lines)) or not fields:
                name, _, value = line.partition(": ")
                if name:
                    fields[name] = value
                elif line:
                    self.comments += 1
        fields["data"] = msgspec.json.decode(fields["data"])
        return fields

    async def payloads(self, count: int) -> list[Any]:
        return [(await self.next())["data"]["payload"] for _ in range(count)]

    async def end(self) -> list[Any]:
        """What comes until the stream ends."""
        found = []
        while True:
            try:
                found.append(await self.next())
            except StopAsyncIteration:
                return found


@pytest.fixture
async def owner(served: Served) -> AsyncIterator[Person]:
    team = await served.acall(served.house.team())
    async with person(served, team, "owner") as made:
        yield made


@asynccontextmanager
async def person(served: Served, team: Team, role: Any, *scopes: str) -> AsyncIterator[Person]:
    key = await served.acall(served.house.key(team, role, scopes))
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        base_url=served.url, headers=headers, timeout=60, verify=authorities()
    ) as client:
        yield Person(served, team, client)


async def test_several_topics_come_in_one_stream(owner: Person) -> None:
    async with owner.listen("room:b", "room:a", "room:a") as told:
        joined = await told.next()
        assert joined["event"] == "joined"
        assert joined["data"] == {"topics": ["room:a", "room:b"]}
        await owner.send("room:a", {"n": 1}, event="first")
        await owner.send("room:c", "unheard")
        await owner.send("room:b", None)
        first, second = await told.next(), await told.next()
    assert int(joined["id"]) < int(first["id"]) < int(second["id"])
    assert first["data"].keys() == {"type", "topic", "event", "payload", "id", "at", "position"}
    assert (first["data"]["event"], first["data"]["payload"]) == ("first", {"n": 1})
    assert str(first["data"]["position"]) == first["id"]
    assert (second["data"]["topic"], second["data"]["payload"]) == ("room:b", None)


async def test_a_stream_resumes_after_the_last_event_id(owner: Person) -> None:
    async with owner.listen("room:a") as told:
        await told.next()
        for n in range(3):
            await owner.send("room:a", n)
        position = (await told.next())["id"]
    await owner.send("room:a", 3)
    async with owner.listen("room:a", **{"last-event-id": position}) as told:
        await told.next()
        assert await told.payloads(3) == [1, 2, 3]


@pytest.mark.parametrize(
    ("query", "last", "status", "code"),
    [
        ("", "", 400, "input_invalid"),
        ("topics=kv", "", 400, "input_invalid"),
        ("topics=access:me", "", 400, "input_invalid"),
        ("topics=room:", "", 404, "not_found"),
        ("topics=room:a", "x", 400, "input_invalid"),
        ("topics=room:a", "999999999999", 400, "cursor_invalid"),
        ("&".join(f"topics=room:{n}" for n in range(101)), "", 400, "input_invalid"),
    ],
)
async def test_what_cannot_be_heard_is_a_status(
    owner: Person, query: str, last: str, status: int, code: str
) -> None:
    headers = {"last-event-id": last} if last else {}
    answer = await owner.client.get(f"/v1/realtime?{query}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_scopes_and_roles_bound_topics(owner: Person) -> None:
    async with person(owner.served, owner.team, "owner", "meetings") as scoped:
        answer = await scoped.client.get("/v1/realtime?topics=room:a")
        assert (answer.status_code, answer.json()["code"]) == (403, "role_forbidden")
        body = {"topic": "room:a", "event": "n"}
        assert (await scoped.client.post("/v1/realtime/broadcast", json=body)).status_code == 403
        async with scoped.listen("changes:meetings") as told:
            assert (await told.next())["event"] == "joined"
    async with person(owner.served, owner.team, "viewer", "read") as viewer:
        assert (await viewer.client.post("/v1/realtime/broadcast", json=body)).status_code == 403
        async with viewer.listen("room:a") as told:
            await told.next()
            await owner.send("room:a", 1)
            assert await told.payloads(1) == [1]


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"topic": "run:1"}, 400),
        ({"event": ""}, 400),
        ({"event": "n" * 101}, 400),
        ({"event": "presence"}, 400),
        ({"topic": "room:" + "é" * 255}, 400),
        ({"payload": functools.reduce(lambda value, _: [value], range(257), 1)}, 400),
        ({"payload": "\0"}, 400),
        ({"payload": "x" * 262_145}, 413),
    ],
)
async def test_what_cannot_be_sent_is_a_status(
    owner: Person, changed: dict[str, Any], status: int
) -> None:
    body = {"topic": "room:a", "event": "n", "payload": 1} | changed
    assert (await owner.client.post("/v1/realtime/broadcast", json=body)).status_code == status


async def test_sending_again_with_its_key_sends_once(owner: Person) -> None:
    async with owner.listen("room:a") as told:
        await told.next()
        body = {"topic": "room:a", "event": "n", "payload": "once"}
        for _ in range(2):
            answer = await owner.client.post(
                "/v1/realtime/broadcast", json=body, headers={"idempotency-key": "send-once"}
            )
            assert (answer.status_code, answer.json()) == (202, {"topic": "room:a", "event": "n"})
        await owner.send("room:a", "after")
        assert await told.payloads(2) == ["once", "after"]


async def test_a_stream_ends_with_the_rights_it_was_opened_with(owner: Person) -> None:
    db = owner.served.house.system.db
    people = owner.team.people
    async with person(owner.served, owner.team, "viewer") as viewer:
        async with viewer.listen("room:a") as told:
            await told.next()
            await owner.send("room:a", "heard")
            assert await told.payloads(1) == ["heard"]
            await owner.served.acall(
                remove_member(db, people["owner"].tenant, people["viewer"].tenant.user_id)
            )
            await owner.send("room:a", "not heard")
            assert [event for event in await told.end() if "payload" in event["data"]] == []
        assert (await viewer.client.get("/v1/realtime?topics=room:a")).status_code == 401


async def test_what_came_before_the_change_of_rights_is_told(owner: Person) -> None:
    db, tenant = owner.served.house.system.db, owner.team.people["owner"].tenant
    issued = await owner.served.acall(issue_key(db, tenant, "Another"))
    async with owner.listen("room:a") as told:
        position = (await told.next())["id"]
        await owner.send("room:a", "before")
        await owner.served.acall(revoke_key(db, tenant, issued.id))
        await owner.send("room:a", "after")
        assert [event["data"]["payload"] for event in await told.end()] == ["before"]
    # It was another key of theirs: whoever comes back goes on, past the change.
    async with owner.listen("room:a", **{"last-event-id": position}) as told:
        await told.next()
        assert await told.payloads(2) == ["before", "after"]


async def test_a_slow_stream_does_not_show_what_came_after_its_rights(quiet: Quiet) -> None:
    opened = await open_stream(quiet.services, await quiet.access(), ["room:a"], None)
    chunks = opened._chunks()
    assert (await anext(chunks)).startswith(b"event: joined")
    await quiet.send("before")
    await quiet.tell_of_rights()
    await quiet.send("secret")  # another burst, which waits beside the first
    shown = b"".join([chunk async for chunk in chunks])
    assert b"before" in shown
    assert b"secret" not in shown
    quiet.services.hub.leave(opened._subscription)


async def test_who_was_demoted_on_the_way_in_hears_as_who_they_are(quiet: Quiet) -> None:
    access = await quiet.access("admin")
    people = quiet.team.people
    await change_role(
        quiet.services.db, people["owner"].tenant, people["admin"].tenant.user_id, "viewer"
    )
    await quiet.hand_out()
    opened = await open_stream(quiet.services, access, ["changes:keys"], None)
    chunks = opened._chunks()
    await anext(chunks)
    await issue_key(quiet.services.db, people["owner"].tenant, "Not theirs")
    await issue_key(quiet.services.db, people["admin"].tenant, "Theirs")
    await quiet.hand_out()
    shown = await anext(chunks)
    assert b"Theirs" in shown
    assert b"Not theirs" not in shown
    quiet.services.hub.leave(opened._subscription)
    assert quiet.services.hub.subscriptions == 0


async def test_a_stream_that_looks_at_rights_late_does_not_miss_them(
    quiet: Quiet, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, access = quiet.services.hub, await quiet.access()
    begin = hub._begin

    async def overtaken(subscription: Subscription, after: int | None) -> None:
        """As when the hub goes on while it is asked where it is."""
        await begin(subscription, after)
        subscription.begin(subscription.position, behind=True, last=subscription.position)

    async with hub.subscribe(quiet.tenant, ["room:a"]) as events:
        monkeypatch.setattr(hub, "_begin", overtaken)
        allowed = live.while_allowed(quiet.services, access, events)
        await quiet.send("before")
        event = await anext(allowed)
        assert event is not None
        assert event.payload == "before"
        await quiet.tell_of_rights()
        await quiet.send("secret")
        assert [event async for event in allowed] == []


async def test_rights_that_expire_end_the_stream(
    owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK", 0.0)
    monkeypatch.setattr(stream, "QUIET_SECONDS", 0.05)
    expire = "UPDATE tidings.api_keys SET expires_at = now() - interval '1 day' WHERE user_id = %s"
    user_id = owner.team.people["member"].tenant.user_id
    async with (
        person(owner.served, owner.team, "member") as member,
        member.listen("room:a") as told,
    ):
        await told.next()
        await owner.served.acall(owner.served.house.sql(expire, user_id))
        assert await told.end() == []


async def test_quiet_streams_say_so(owner: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "QUIET_SECONDS", 0.05)
    params = [("topics", "room:a")]
    async with owner.client.stream("GET", "/v1/realtime", params=params) as answer:
        lines = answer.aiter_lines()
        async with asyncio.timeout(PATIENCE):
            while await anext(lines) != ": quiet":
                pass


async def progress(owner: Person, run_id: str, stage: str) -> None:
    services, tenant = owner.served.house.services, owner.team.people["owner"].tenant
    async with services.db.tenant_batch(tenant) as batch:
        publish(batch, f"run:{run_id}", "progress", {"stage": stage})
    services.relay.nudge()


@pytest.mark.parametrize("path", ["/v1/kv-watch", "/v1/runs/{run}/events"])
async def test_other_streams_end_with_their_rights_too(
    owner: Person, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    db, people = owner.served.house.system.db, owner.team.people
    body = {"domain": "a.example"}
    started = await owner.client.post("/v1/engagement-summary", json=body)
    address = path.format(run=started.json()["run_id"])
    async with (
        person(owner.served, owner.team, "viewer") as viewer,
        viewer.client.stream("GET", address) as answer,
    ):
        told = Told(answer)
        await told.next()
        monkeypatch.setattr(stream, "QUIET_SECONDS", 0.05)
        await owner.served.acall(
            remove_member(db, people["owner"].tenant, people["viewer"].tenant.user_id)
        )
        await owner.client.put("/v1/kv/secret", json={"value": "not theirs"})
        await owner.served.acall(progress(owner, started.json()["run_id"], "secret"))
        assert [event for event in await told.end() if "secret" in str(event["data"])] == []


async def test_a_watch_whose_key_expires_ends(
    owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK", 0.0)
    monkeypatch.setattr(stream, "QUIET_SECONDS", 0.05)
    expire = "UPDATE tidings.api_keys SET expires_at = now() - interval '1 day' WHERE user_id = %s"
    async with (
        person(owner.served, owner.team, "member") as member,
        member.client.stream("GET", "/v1/kv-watch") as answer,
    ):
        told = Told(answer)
        assert (await told.next())["event"] == "watching"
        user_id = owner.team.people["member"].tenant.user_id
        await owner.served.acall(owner.served.house.sql(expire, user_id))
        assert await told.end() == []
