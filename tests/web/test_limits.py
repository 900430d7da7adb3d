"""What happens when there is too much: requests, connections, no database."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

import httpx
import pytest

from tidings.web import answers
from tidings.web.problems import STATUS
from web.house import House, Team, problem

OpenHouse = Callable[..., AbstractAsyncContextManager[House]]


async def _until_refused(client: httpx.AsyncClient, most: int) -> httpx.Response:
    for _ in range(most):
        answer = await client.get("/v1/kv")
        if answer.status_code != 200:
            return answer
    raise AssertionError(f"{most} requests were let through")


async def test_too_many_requests(another_house: OpenHouse) -> None:
    async with another_house(rate_limit=3) as house:
        team = await house.team()
        client = await house.api(team)
        # A minute may end in between, so up to twice the limit and one are tried.
        refused = await _until_refused(client, 7)
        problem(refused, 429, "rate_exceeded")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert refused.headers["ratelimit-policy"] == '"default";q=3;w=60'
        assert refused.headers["ratelimit"].startswith('"default";r=0;t=')
        other = await house.api(team)
        assert (await other.get("/v1/kv")).status_code == 200


async def test_all_connections_are_in_use(another_house: OpenHouse) -> None:
    async with another_house(
        pool_primary_min=2, pool_primary_max=2, pool_timeout=0.2, live=False
    ) as house:
        await house.system.db._primary.wait(20)  # nobody waits as long for a connection to be made
        team = await house.team()
        client = await house.api(team)
        tenant = team.people["owner"].tenant
        async with AsyncExitStack() as held:
            for _ in range(2):
                await held.enter_async_context(house.system.db.tenant_transaction(tenant))
            busy = await client.get("/v1/kv")
            problem(busy, 503, "database_busy")
            assert int(busy.headers["retry-after"]) >= 1
            ready = await house.client().get("/readyz")
            assert ready.status_code == 503
            assert ready.json()["status"] == "unavailable"
            assert (await house.client().get("/healthz")).status_code == 200
            page = await house.client().get("/", headers={"cookie": "tidings_session=" + "a" * 43})
            assert page.status_code == 503
            assert "Wait 1 second, then try again." in page.text
            assert 'href="/">Try again</a>' in page.text
            assert int(page.headers["retry-after"]) >= 1
        assert (await client.get("/v1/kv")).status_code == 200


async def test_the_database_is_away(another_house: OpenHouse, cluster: Any) -> None:
    name = cluster.clone()
    url = cluster.url("tidings_app", name)
    async with another_house(
        app_url=url, pool_primary_min=0, pool_timeout=0.5, live=False
    ) as house:
        cluster.drop(name)
        answer = await house.client("tk_" + "x" * 43).get("/v1/kv")
        assert answer.status_code == 503
        assert answer.json()["code"] == "database_unavailable"
        assert name not in answer.text
        assert (await house.client().get("/readyz")).status_code == 503


async def test_the_database_goes_away_in_a_claimed_request(
    another_house: OpenHouse, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = cluster.clone()
    url = cluster.url("tidings_app", name)
    async with another_house(app_url=url, pool_timeout=0.2, live=False) as house:
        house.superuser_url = cluster.url("postgres", name)
        await house.system.db._primary.wait(20)
        client = await house.api(await house.team())
        encode = answers.encode

        def encode_without_database(answer: answers.Answer) -> bytes:
            cluster.drop(name)
            return encode(answer)

        monkeypatch.setattr(answers, "encode", encode_without_database)
        batch = {"operations": [{"op": "set", "key": "a", "value": 1}]}
        answer = await client.post("/v1/kv-batch", json=batch, headers={"idempotency-key": "a"})
        problem(answer, 503, "database_unavailable")
        assert int(answer.headers["retry-after"]) >= 1


def test_every_code_is_of_one_error() -> None:
    codes = [kind.code for kind in STATUS]
    assert len(codes) == len(set(codes))


async def test_readiness(house: House) -> None:
    nobody = house.client()
    assert (await nobody.get("/healthz")).json() == {"status": "ok"}
    async with asyncio.timeout(20):
        ready = (await nobody.get("/readyz")).json()
        while ready["checks"]["relay"].startswith("the oldest event has waited"):
            ready = (await nobody.get("/readyz")).json()  # of a test before
    assert ready["status"] == "ok"
    assert ready["checks"]["migrations"].startswith("at ")
    assert "jobs wait" in ready["checks"]["queue"]
    assert ready["checks"]["relay"] in {"no event waits", "nobody relays at this moment"}


async def test_old_programs_stay_ready_beside_a_newer_schema(
    another_house: OpenHouse, cluster: Any
) -> None:
    name = cluster.clone()
    url = cluster.url("tidings_app", name)
    async with another_house(app_url=url, live=False) as house:
        house.superuser_url = cluster.url("postgres", name)
        client = house.client()
        for revision, status in (("9999", 200), ("0001", 503)):
            await house.sql("UPDATE tidings.schema_version SET version_num = %s", revision)
            ready = await client.get("/readyz")
            assert ready.status_code == status, ready.text
            assert revision in ready.text
    cluster.drop(name)


async def test_metrics(house: House, team: Team) -> None:
    await (await house.api(team)).get("/v1/kv/a")
    answer = await house.client().get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert (
        'tidings_requests_total{method="GET",path="/v1/kv/{key}",status_code="404"}' in answer.text
    )
    assert 'tidings_requests_in_progress{method="GET",path="/metrics"} 1.0' in answer.text
    assert "tidings_request_duration_seconds_bucket{" in answer.text
    assert "/v1/kv/{key}" in answer.text
    assert str(team.organization_id) not in answer.text
    assert "tidings_database_round_trips_total" in answer.text
    assert "tidings_queue_depth " in answer.text
    assert "tidings_queue_due_seconds " in answer.text
    assert 'tidings_pool{figure="pool_size",pool="primary"}' in answer.text
