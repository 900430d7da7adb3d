"""Idempotency-Key over HTTP: one effect, one answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tidings.engagement.start import Started
from tidings.web.api import engagement
from web.house import House, Team, meeting, problem

KEY = {"idempotency-key": "order-66"}
START = "/v1/engagement-summary"


async def _runs(client: httpx.AsyncClient) -> int:
    return len((await client.get("/v1/runs")).json()["items"])


async def test_the_same_request_gets_the_same_answer(client: httpx.AsyncClient) -> None:
    asked = {"domain": "northwind.example", "force": True}
    first = await client.post(START, json=asked, headers=KEY)
    again = await client.post(START, json=asked, headers=KEY)
    assert first.status_code == again.status_code == 202
    assert first.content == again.content
    assert first.headers["content-type"] == again.headers["content-type"]
    assert await _runs(client) == 1
    other = await client.post(START, json=asked, headers={"idempotency-key": "another"})
    assert other.json()["run_id"] != first.json()["run_id"]


async def test_another_body_or_address_is_422(client: httpx.AsyncClient) -> None:
    await client.post(START, json={"domain": "a.example"}, headers=KEY)
    problem(
        await client.post(START, json={"domain": "b.example"}, headers=KEY),
        422,
        "idempotency_mismatch",
    )
    problem(
        await client.post("/v1/api-keys", json={"name": "x"}, headers=KEY),
        422,
        "idempotency_mismatch",
    )
    problem(
        await client.post(f"{START}?x=1", json={"domain": "a.example"}, headers=KEY),
        422,
        "idempotency_mismatch",
    )
    assert await _runs(client) == 1


async def test_keys_are_of_one_person(house: House, team: Team, client: httpx.AsyncClient) -> None:
    admin = await house.api(team, "admin")
    mine = await client.post("/v1/api-keys", json={"name": "x"}, headers=KEY)
    theirs = await admin.post("/v1/api-keys", json={"name": "x"}, headers=KEY)
    assert mine.json()["id"] != theirs.json()["id"]


@pytest.mark.parametrize("key", ["", "two words", "x" * 256])
async def test_impossible_keys(client: httpx.AsyncClient, key: str) -> None:
    answer = await client.post(
        START, json={"domain": "a.example"}, headers={"idempotency-key": key}
    )
    found = problem(answer, 400, "input_invalid")
    assert found["errors"][0]["field"] == "Idempotency-Key"


async def test_of_two_at_once_one_runs(
    house: House, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, go_on = asyncio.Event(), asyncio.Event()
    start = engagement.start

    async def held(*args: Any) -> Started:
        inside.set()
        await go_on.wait()
        return await start(*args)

    monkeypatch.setattr(engagement, "start", held)
    asked = {"domain": "a.example", "force": True}
    first = asyncio.create_task(client.post(START, json=asked, headers=KEY))
    await inside.wait()
    busy = await client.post(START, json=asked, headers=KEY)
    problem(busy, 409, "idempotency_busy")
    assert int(busy.headers["retry-after"]) >= 1
    go_on.set()
    answer = await first
    assert answer.status_code == 202
    replayed = await client.post(START, json=asked, headers=KEY)
    assert replayed.content == answer.content
    assert await _runs(client) == 1


async def test_many_at_once_make_one_effect(client: httpx.AsyncClient) -> None:
    asked = {"operations": [{"op": "increment", "key": "count"}]}
    answers = await asyncio.gather(
        *(client.post("/v1/kv-batch", json=asked, headers=KEY) for _ in range(12))
    )
    assert {answer.status_code for answer in answers} <= {200, 409}
    done = [answer.content for answer in answers if answer.status_code == 200]
    assert len(set(done)) == 1
    assert (await client.get("/v1/kv/count")).json()["value"] == 1


async def test_a_failure_gives_the_key_back(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"domain": "a.example"}

    async def fails(*_: Any) -> Started:
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(engagement, "start", fails)
        problem(await client.post(START, json=asked, headers=KEY), 500, "internal_error")
    assert (await client.post(START, json=asked, headers=KEY)).status_code == 202


async def test_refused_bodies_give_the_key_back(client: httpx.AsyncClient) -> None:
    for body in ({"domain": 1}, {"domain": ""}, {"domain": "\x00"}):
        assert (await client.post(START, json=body, headers=KEY)).status_code == 400
    assert (await client.post(START, json={"domain": "a.example"}, headers=KEY)).status_code == 202


async def test_a_large_body_is_not_read_for_nobody(house: House) -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 1
            yield b" " * 1024 * 1024

    stranger = house.client("tk_" + "x" * 43)
    answer = await stranger.post("/v1/meetings", content=body(), headers=KEY)
    problem(answer, 401, "credential_invalid")
    # Some may be on the way before the answer is.
    assert sent < 16


async def test_a_large_body_has_an_answer_of_its_own(client: httpx.AsyncClient) -> None:
    value = {"value": "x" * (1024 * 1024 - 2)}
    operations = [{"op": "set", "key": f"k{n}", **value} for n in range(2)]
    first = await client.post("/v1/kv-batch", json={"operations": operations}, headers=KEY)
    assert first.status_code == 200
    again = await client.post("/v1/kv-batch", json={"operations": operations}, headers=KEY)
    assert again.content == first.content


async def test_forbidden_requests_give_the_key_back(house: House, team: Team) -> None:
    viewer = await house.api(team, "viewer")
    for _ in range(2):
        answer = await viewer.post(START, json={"domain": "a.example"}, headers=KEY)
        problem(answer, 403, "role_forbidden")


async def test_effect_and_answer_commit_together(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails after the effect, before the answer is kept, leaves no effect."""
    from tidings.web import answers

    def broken(*_: Any) -> None:
        raise RuntimeError("the process dies here")

    asked = {"items": [meeting(1, "a.example")]}
    with monkeypatch.context() as patch:
        patch.setattr(answers, "save_answer", broken)
        answer = await client.post("/v1/meetings", json=asked, headers=KEY)
        problem(answer, 500, "internal_error")
    assert (await client.get("/v1/meetings")).json()["items"] == []
    answer = await client.post("/v1/meetings", json=asked, headers=KEY)
    assert answer.json()["created"] == 1
    assert (await client.post("/v1/meetings", json=asked, headers=KEY)).json()["created"] == 1


async def test_secrets_are_not_kept(client: httpx.AsyncClient) -> None:
    asked = {"name": "deploy"}
    first = await client.post("/v1/api-keys", json=asked, headers=KEY)
    again = await client.post("/v1/api-keys", json=asked, headers=KEY)
    assert first.json()["key"].startswith("tk_")
    assert first.headers["cache-control"] == "no-store"
    assert again.status_code == 201
    assert again.json() == first.json() | {"key": None}
    hook = {"signing_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
    headers = {"idempotency-key": "hook"}
    made = await client.post("/v1/hooks", json=hook, headers=headers)
    assert made.json()["path"].startswith("/v1/hooks/fathom/")
    assert (await client.post("/v1/hooks", json=hook, headers=headers)).json()["path"] is None
    assert len((await client.get("/v1/hooks")).json()) == 1


async def test_nothing_secret_stands_in_the_kept_answers(
    house: House, team: Team, client: httpx.AsyncClient
) -> None:
    key = (await client.post("/v1/api-keys", json={"name": "x"}, headers=KEY)).json()["key"]
    rows = await house.sql(
        "SELECT body FROM tidings.idempotency_keys WHERE organization_id = %s",
        team.organization_id,
    )
    assert rows
    assert all(key.encode() not in bytes(row[0]) for row in rows)


async def test_cancelling_replays(house: House, team: Team, client: httpx.AsyncClient) -> None:
    run = (await client.post(START, json={"domain": "a.example"})).json()["run_id"]
    first = await client.post(f"/v1/runs/{run}/cancel", headers=KEY)
    again = await client.post(f"/v1/runs/{run}/cancel", headers=KEY)
    assert first.json() == again.json() == {"id": run, "status": "cancelled"}
