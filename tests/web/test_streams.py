"""Server-sent events over a real connection."""

import asyncio
import gc
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from tidings.base.authorities import authorities
from tidings.web import stream
from web.house import House, Team, meeting, problem
from web.served import Served

Event = dict[str, str]


class Stream:
    """The events of one open answer."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def next(self) -> Event:
        """The next event, comments left out. Raises StopAsyncIteration at the end."""
        event: Event = {}
        while True:
            line = await anext(self._lines)
            if not line:
                if "event" in event:
                    return event
                event = {}
                continue
            name, _, value = line.partition(":")
            if name:
                event[name] = value.strip()

    async def rest(self) -> list[Event]:
        """Everything until the server ends the stream."""
        events = []
        try:
            while True:
                events.append(await self.next())
        except StopAsyncIteration:
            return events


class Visitor:
    """A client of the real server with the rights of a new organization's owner."""

    def __init__(self, served: Served, team: Team, key: str) -> None:
        self.served, self.team = served, team
        self.client = httpx.AsyncClient(
            base_url=served.url,
            headers={"authorization": f"Bearer {key}"},
            timeout=60,
            verify=authorities(),
        )

    @asynccontextmanager
    async def stream(self, path: str, **headers: str) -> AsyncIterator[Stream]:
        async with self.client.stream("GET", path, headers=headers) as answer:
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["cache-control"] == "no-cache"
            yield Stream(answer)


@pytest.fixture
async def visitor(served: Served) -> AsyncIterator[Visitor]:
    async def enter(house: House) -> tuple[Team, str]:
        team = await house.team()
        return team, await house.key(team)

    team, key = await served.acall(enter(served.house))
    made = Visitor(served, team, key)
    async with made.client:
        yield made


def data(event: Event) -> Any:
    return msgspec.json.decode(event["data"])


async def test_a_run_is_followed_to_its_end(visitor: Visitor) -> None:
    client = visitor.client
    items = [meeting(n, "a.example", "Our goal is to open a second site.") for n in range(3)]
    await client.post("/v1/meetings", json={"items": items})
    started = await client.post("/v1/engagement-summary", json={"domain": "a.example"})
    run_id = started.json()["run_id"]
    async with visitor.stream(f"/v1/runs/{run_id}/events") as opened:
        first = await opened.next()
        assert first["event"] == "progress"
        assert data(first)["status"] == "queued"
        house = visitor.served.house
        run = await visitor.served.acall(house.finish(visitor.team, UUID(run_id)))
        events = await opened.rest()
    assert run.status == "complete"
    assert events[-1]["event"] == "complete"
    stages = [data(event)["progress"]["stage"] for event in events if event["event"] == "progress"]
    assert {"match", "read", "verify"} <= set(stages)
    positions = [int(event["id"]) for event in events]
    assert positions == sorted(set(positions))
    async with visitor.stream(f"/v1/runs/{run_id}/events") as opened:
        assert [event["event"] for event in await opened.rest()] == ["complete"]


async def test_a_cancelled_run_ends_its_stream(visitor: Visitor) -> None:
    started = await visitor.client.post("/v1/engagement-summary", json={"domain": "a.example"})
    run_id = started.json()["run_id"]
    async with visitor.stream(f"/v1/runs/{run_id}/events") as opened:
        assert (await opened.next())["event"] == "progress"
        answer = await visitor.client.post(f"/v1/runs/{run_id}/cancel")
        assert answer.json() == {"id": run_id, "status": "cancelled"}
        assert [event["event"] for event in await opened.rest()] == ["cancelled"]
    status = await visitor.client.get(
        "/v1/engagement-status", params={"domain": "a.example", "run_id": run_id}
    )
    assert status.json()[0]["status"] == "error"


async def test_keys_are_watched(visitor: Visitor) -> None:
    client = visitor.client
    async with visitor.stream("/v1/kv-watch?prefix=a%25") as opened:
        assert (await opened.next())["event"] == "watching"
        await client.put("/v1/kv/a1", json={"value": "not watched"})
        written = await client.put("/v1/kv/a%251", json={"value": {"n": 1}})
        event = await opened.next()
        assert event["event"] == "set"
        assert data(event) == {
            "op": "set",
            "key": "a%1",
            "version": written.json()["version"],
            "position": int(event["id"]),
            "value": {"n": 1},
        }
        await client.delete("/v1/kv/a%251")
        deleted = await opened.next()
        assert (deleted["event"], data(deleted)["key"]) == ("delete", "a%1")
        batch = {"operations": [{"op": "increment", "key": "a%n"}]}
        await client.post("/v1/kv-batch", json=batch)
        assert data(await opened.next())["value"] == 1
        position = event["id"]
    async with visitor.stream("/v1/kv-watch?prefix=a%25", **{"last-event-id": position}) as opened:
        assert (await opened.next())["event"] == "watching"
        assert [(await opened.next())["event"] for _ in range(2)] == ["delete", "set"]


@pytest.mark.parametrize(
    ("path", "position", "code"),
    [
        ("/v1/kv-watch", "999999999999", "cursor_invalid"),
        ("/v1/kv-watch?prefix=" + "%C3%A9" * 600, "", "input_invalid"),
    ],
)
async def test_what_cannot_be_watched_is_said_before_the_stream(
    visitor: Visitor, path: str, position: str, code: str
) -> None:
    answer = await visitor.client.get(path, headers={"last-event-id": position})
    problem(answer, 400, code)


async def test_a_stream_that_nobody_reads_ends() -> None:
    ended = asyncio.Event()

    async def watch() -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            ended.set()

    await stream.begun(watch())  # the client is gone before the answer begins
    gc.collect()
    await asyncio.wait_for(ended.wait(), 20)


async def test_others_see_nothing(visitor: Visitor) -> None:
    async def enter(house: House) -> str:
        return await house.key(await house.team("Other House"))

    other = await visitor.served.acall(enter(visitor.served.house))
    async with (
        visitor.stream("/v1/kv-watch") as mine,
        httpx.AsyncClient(base_url=visitor.served.url, timeout=60) as stranger,
    ):
        assert (await mine.next())["event"] == "watching"
        headers = {"authorization": f"Bearer {other}"}
        await stranger.put("/v1/kv/secret", json={"value": "theirs"}, headers=headers)
        await visitor.client.put("/v1/kv/mine", json={"value": 1})
        assert data(await mine.next())["key"] == "mine"


async def test_quiet_streams_say_so(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a comment, which no client takes for an event."""
    monkeypatch.setattr(stream, "QUIET_SECONDS", 0.05)
    started = await visitor.client.post("/v1/engagement-summary", json={"domain": "a.example"})
    for path in (f"/v1/runs/{started.json()['run_id']}/events", "/v1/kv-watch"):
        async with visitor.client.stream("GET", path) as answer:
            lines = answer.aiter_lines()
            while not (line := await anext(lines)).startswith(":"):
                assert line.partition(":")[0] in {"event", "data", "id", "retry", ""}
            assert await anext(lines) == ""


async def test_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing for a while is said by None; what comes after it is not lost."""
    monkeypatch.setattr(stream, "QUIET_SECONDS", 0.01)
    go_on = asyncio.Event()

    async def events() -> AsyncIterator[int]:
        yield 1
        await go_on.wait()
        yield 2

    found: list[int | None] = []
    async for event in stream.heartbeats(events()):
        found.append(event)
        if event is None:
            go_on.set()
    assert (found[0], found[-1]) == (1, 2)
    assert None in found
