"""How often a request goes to the database, counted on the wire."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest
import pytest_asyncio

from web.house import Browser, House, Team, meeting

from factories.said import said
from wire import CountingProxy, counting

OpenHouse = Callable[..., AbstractAsyncContextManager[House]]
KEY = {"idempotency-key": "once"}


@pytest_asyncio.fixture(scope="module")
async def wire(cluster: Any) -> AsyncIterator[CountingProxy]:
    async with counting(cluster) as proxy:
        yield proxy


@pytest_asyncio.fixture(scope="module")
async def counted(
    another_house: OpenHouse, cluster: Any, web_database: str, wire: CountingProxy
) -> AsyncIterator[House]:
    """An application whose every connection is counted, without duties in the background."""
    url = wire.url(cluster.url("tidings_app", web_database), cluster.cluster.socket_dir)
    async with another_house(app_url=url, live=False, pool_primary_max=2) as opened:
        yield opened


@pytest_asyncio.fixture
async def team(counted: House) -> Team:
    return await counted.team()


async def _trips(
    wire: CountingProxy, client: httpx.AsyncClient, method: str, path: str, **more: Any
) -> int:
    """Of a request that is not the first of its kind: connections and statements are there."""
    for _ in range(2):
        wire.reset()
        answer = await client.request(method, path, **more)
        assert answer.status_code < 400, answer.text
    return wire.trips


@pytest.mark.parametrize(
    ("method", "path", "body", "most"),
    [
        ("GET", "/v1/kv/a", None, 2),
        ("PUT", "/v1/kv/a", {"value": 1}, 2),
        ("DELETE", "/v1/kv/a", None, 2),
        ("GET", "/v1/kv", None, 2),
        ("POST", "/v1/kv-batch", {"operations": [{"op": "get", "key": "a"}]}, 3),
        ("GET", "/v1/debug/kv", None, 2),
        ("POST", "/v1/engagement-summary", {"domain": "b.example"}, 3),
        ("GET", "/v1/engagement-status?domain=a.example&run_id=1", None, 3),
        ("GET", "/v1/meetings", None, 2),
        ("GET", "/v1/runs", None, 2),
        ("GET", "/v1/channels", None, 2),
        ("POST", "/v1/channels", {"name": "x", "kind": "chat"}, 3),
        ("GET", "/v1/messages/search?q=invoice", None, 2),
        ("GET", "/v1/api-keys", None, 2),
        ("GET", "/v1/companies", None, 2),
        ("GET", "/v1/companies/a.example", None, 3),
        ("GET", "/v1/intelligence", None, 2),
    ],
)
async def test_api(
    counted: House,
    team: Team,
    wire: CountingProxy,
    method: str,
    path: str,
    body: Any,
    most: int,
) -> None:
    client = await counted.api(team)
    await client.put("/v1/kv/a", json={"value": 1})
    await client.post("/v1/meetings", json={"items": [meeting(1, "a.example")]})
    assert 1 <= await _trips(wire, client, method, path, json=body) <= most


@pytest.mark.parametrize("scopes", [(), ("engagement",)])
async def test_a_run_is_read_once(
    counted: House, team: Team, wire: CountingProxy, scopes: tuple[str, ...]
) -> None:
    client = await counted.api(team, "owner", *scopes)
    started = await client.post("/v1/engagement-summary", json={"domain": "a.example"})
    path = f"/v1/runs/{started.json()['run_id']}"
    assert await _trips(wire, client, "POST", f"{path}/cancel") == 2
    assert await _trips(wire, client, "GET", path) == 2
    # One more finds where the stream begins; the run has ended, and so does the stream.
    assert await _trips(wire, client, "GET", f"{path}/events") == 3


async def test_api_with_an_idempotency_key(counted: House, team: Team, wire: CountingProxy) -> None:
    client = await counted.api(team)
    wire.reset()
    for n in range(3):
        wire.reset()
        headers = {"idempotency-key": f"once-{n}"}
        asked = {"domain": "b.example", "force": True}
        await client.post("/v1/engagement-summary", json=asked, headers=headers)
    assert wire.trips <= 3
    wire.reset()
    await client.post("/v1/engagement-summary", json=asked, headers=headers)
    assert wire.trips == 1  # a replay


async def test_a_batch_of_messages(counted: House, team: Team, wire: CountingProxy) -> None:
    client = await counted.api(team)
    channel = (await client.post("/v1/channels", json={"name": "x", "kind": "chat"})).json()
    path = f"/v1/channels/{channel['id']}"
    for size in (1, 200):
        items = [said(1000 * size + n, reply_to=f"m{size}") for n in range(size)]
        assert await _trips(wire, client, "POST", f"{path}/messages", json={"items": items}) <= 3
    assert await _trips(wire, client, "GET", f"{path}/messages") <= 2
    assert await _trips(wire, client, "GET", f"{path}/threads") <= 2
    browser = await counted.browser(team)
    assert await _trips(wire, browser.client, "GET", "/inbox") <= 2
    # The last is for what the newest message may be answered.
    assert await _trips(wire, browser.client, "GET", f"/inbox/{channel['id']}") <= 5


async def test_status_of_a_known_run(counted: House, team: Team, wire: CountingProxy) -> None:
    client = await counted.api(team)
    started = await client.post("/v1/engagement-summary", json={"domain": "b.example"})
    path = f"/v1/engagement-status?domain=b.example&run_id={started.json()['run_id']}"
    assert await _trips(wire, client, "GET", path) <= 3


async def test_a_board(counted: House, team: Team, wire: CountingProxy) -> None:
    client = await counted.api(team)
    made = await client.post("/v1/brainstorms", json={"topic": "x"})
    at = f"/v1/brainstorms/{made.json()['id']}"
    idea = (await client.post(f"{at}/ideas", json={"text": "x"})).json()["id"]
    browser = await counted.browser(team)
    assert await _trips(wire, client, "GET", at) <= 2
    assert await _trips(wire, client, "PATCH", f"{at}/ideas/{idea}", json={"text": "y"}) <= 4
    assert await _trips(wire, client, "PUT", f"{at}/ideas/{idea}/vote") <= 3
    assert await _trips(wire, browser.client, "GET", at.removeprefix("/v1")) <= 4


async def test_refusals_cost_one(counted: House, team: Team, wire: CountingProxy) -> None:
    client = await counted.api(team, "viewer")
    await client.get("/v1/kv/a")
    wire.reset()
    await client.put("/v1/kv/a", json={"value": 1})
    assert wire.trips == 1
    wire.reset()
    await counted.client().get("/v1/kv/a")
    assert wire.trips == 0


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/", 2),
        ("/companies", 3),
        ("/companies/a.example", 7),
        ("/meetings", 3),
        ("/kv?key=a", 4),
        ("/settings/api-keys", 2),
        ("/settings/members", 2),
        ("/sign-in", 0),
        ("/healthz", 0),
    ],
)
async def test_pages(
    house: House, counted: House, team: Team, wire: CountingProxy, path: str, most: int
) -> None:
    await house.summarise(team, "a.example", "Our goal is to open a second site by spring.")
    browser: Browser = await counted.browser(team)
    await (await counted.api(team)).put("/v1/kv/a", json={"value": 1})
    assert await _trips(wire, browser.client, "GET", path) <= most
