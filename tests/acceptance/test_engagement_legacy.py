"""Older front ends: a prefix of their own, another origin, 200 from the POST."""

from collections.abc import AsyncIterator

import pytest_asyncio

from acceptance.conftest import OpenProduct
from acceptance.product import Customer, Product

from factories.meetings import meeting

PREFIX = "/make-server-1a2b3c"
ORIGIN = "https://front.example"


@pytest_asyncio.fixture(scope="module")
async def product(variant: OpenProduct) -> AsyncIterator[Product]:
    changes = {"legacy_prefix": PREFIX, "cors_origins": [ORIGIN]}
    async with variant(**changes) as product, product.working():
        yield product


async def test_a_front_end_of_another_origin_starts_and_polls(customer: Customer) -> None:
    await customer.capture(meeting(1))
    origin = {"Origin": ORIGIN}
    for method, headers in (("POST", "authorization,content-type"), ("GET", "authorization")):
        asked = await customer.http.options(
            f"{PREFIX}/engagement-summary",
            headers={
                **origin,
                "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": headers,
            },
        )
        assert asked.status_code in (200, 204)
        assert asked.headers["access-control-allow-origin"] == ORIGIN
        assert method in asked.headers["access-control-allow-methods"]
        for header in headers.split(","):
            assert header in asked.headers["access-control-allow-headers"].lower()
    started = await customer.http.post(
        f"{PREFIX}/engagement-summary", json={"domain": "https://www.ACME.example/"}, headers=origin
    )
    assert started.status_code == 200
    assert started.headers["access-control-allow-origin"] == ORIGIN
    run_id = started.json()["run_id"]
    assert started.json() == {
        "ok": True, "domain": "acme.example", "run_id": run_id, "status": "processing",
    }  # fmt: skip
    assert await customer.ended(run_id) == "complete"
    polled = await customer.http.get(
        f"{PREFIX}/engagement-status",
        params={"domain": "https://www.ACME.example/", "run_id": run_id},
        headers=origin,
    )
    assert polled.status_code == 200
    assert polled.headers["access-control-allow-origin"] == ORIGIN
    assert polled.json() == await customer.records("acme.example", run_id)
    assert polled.json()[0]["status"] == "complete"


async def test_both_doors_lead_to_the_same_runs(customer: Customer) -> None:
    run_id = await customer.start("acme.example")
    legacy = await customer.http.get(
        f"{PREFIX}/engagement-status", params={"domain": "acme.example", "run_id": run_id}
    )
    assert [each["run_id"] for each in legacy.json()] == [run_id]


async def test_the_rules_are_the_same(customer: Customer) -> None:
    path = f"{PREFIX}/engagement-summary"
    assert (await customer.http.post(path, json={"domain": ""})).status_code == 400
    assert (await customer.http.post(path, json={})).status_code == 400
    unknown = await customer.http.post(
        path, json={"domain": "a.example"}, headers={"authorization": "Bearer no"}
    )
    assert unknown.status_code == 401
    assert (await customer.http.get(f"{PREFIX}/engagement-status")).status_code == 400
    stranger = await customer.http.post(
        path, json={"domain": "a.example"}, headers={"Origin": "https://evil.example"}
    )
    assert "access-control-allow-origin" not in stranger.headers


async def test_other_routes_are_not_below_the_prefix(customer: Customer) -> None:
    assert (await customer.http.get(f"{PREFIX}/companies")).status_code == 404
