"""Starting: one run of a company at a time, answered in few round trips, repeated safely."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from acceptance.product import Customer, Product, serving
from conftest import TestCluster
from tidings.db.pools import primary_pool
from tidings.db.transaction import Database
from tidings.web.app import create_app
from tidings.web.services import Services
from tidings.wiring import System

from factories.meetings import meeting
from wire import CountingProxy

MOST_TRIPS = 3


@pytest.fixture(scope="module")
def product(idle_product: Product) -> Product:
    """Without a worker what was started stays under way."""
    return idle_product


async def count(product: Product, customer: Customer, table: str) -> int:
    (row,) = await product.look(
        f"SELECT count(*) FROM tidings.{table} WHERE organization_id = %s",
        customer.organization.organization_id,
    )
    number: int = row["count"]
    return number


async def test_a_run_under_way_is_returned_unless_forced(
    product: Product, customer: Customer
) -> None:
    first = await customer.start("acme.example")
    created_at = (await customer.record("acme.example", first))["created_at"]
    assert await customer.start("https://ACME.example/") == first
    assert await customer.start("acme.example", sync=True) == first
    assert (await customer.record("acme.example", first))["created_at"] == created_at
    forced = await customer.start("acme.example", force=True)
    assert forced != first
    assert await count(product, customer, "kv_store") == 2
    assert await customer.start("other.example") not in (first, forced)
    async with product.working():
        assert await customer.ended(first) == "complete"
        assert await customer.ended(forced) == "complete"
        assert await customer.start("acme.example") not in (first, forced)


async def test_twenty_at_once_start_one(product: Product, customer: Customer) -> None:
    runs = await asyncio.gather(*(customer.start("acme.example") for _ in range(20)))
    assert len(set(runs)) == 1
    for table in ("runs", "jobs", "kv_store"):
        assert await count(product, customer, table) == 1


async def test_twenty_forced_at_once_start_twenty(product: Product, customer: Customer) -> None:
    await customer.capture(meeting(1))
    runs = await asyncio.gather(*(customer.start("acme.example", force=True) for _ in range(20)))
    assert len(set(runs)) == 20
    async with product.working():
        ends = await asyncio.gather(*map(customer.ended, runs))
    assert ends == ["complete"] * 20
    assert await count(product, customer, "meeting_findings") == 1
    endless = await product.look(
        "SELECT key FROM tidings.kv_store WHERE organization_id = %s AND expires_at IS NULL",
        customer.organization.organization_id,
    )
    assert [row["key"] for row in endless] == [f"engagement:acme.example:{max(runs)}"]


async def test_an_idempotency_key_replays_the_answer(product: Product, customer: Customer) -> None:
    key = {"Idempotency-Key": "one-click"}
    path, body = "/v1/engagement-summary", {"domain": "acme.example", "force": True}
    first = await customer.http.post(path, json=body, headers=key)
    again = await customer.http.post(path, json=body, headers=key)
    assert (again.status_code, again.json()) == (202, first.json())
    other = await customer.http.post(path, json={"domain": "b.example"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert await count(product, customer, "runs") == 1


async def test_a_refused_request_gives_its_idempotency_key_back(customer: Customer) -> None:
    key = {"Idempotency-Key": "typo"}
    path = "/v1/engagement-summary"
    assert (await customer.http.post(path, json={"domain": ""}, headers=key)).status_code == 400
    again = await customer.http.post(path, json={"domain": ""}, headers=key)
    assert again.status_code == 400


@asynccontextmanager
async def counted(
    product: Product, cluster: TestCluster, wire: CountingProxy
) -> AsyncIterator[str]:
    """The same web, its requests alone behind the proxy that counts."""
    parts = product.system
    url = wire.url(parts.addresses.app, cluster.cluster.socket_dir)
    one = parts.settings.model_copy(update={"pool_primary_min": 1, "pool_primary_max": 1})
    database = Database(primary_pool(one, url))
    await database.open()
    system = System(one, parts.addresses, database, parts.keys, parts.gateway, parts.presences)

    @asynccontextmanager
    async def services() -> AsyncIterator[Services]:
        yield system.services(product.hub, product.relay)

    try:
        async with serving(create_app(one, services)) as address:
            yield address
    finally:
        await database.close()


@pytest_asyncio.fixture
async def counted_customer(
    product: Product, customer: Customer, cluster: TestCluster, wire: CountingProxy
) -> AsyncIterator[Customer]:
    async with counted(product, cluster, wire) as url:
        counted_one = Customer(url, customer.key, customer.organization)
        yield counted_one
        await counted_one.http.aclose()


@pytest.mark.parametrize("has_key", [False, True])
async def test_starting_and_asking_cost_few_round_trips(
    counted_customer: Customer, wire: CountingProxy, has_key: bool
) -> None:
    spent: dict[str, set[int]] = {"POST": set(), "again": set(), "replay": set(), "GET": set()}

    async def start(domain: str, what: str, n: int) -> Any:
        headers = {"Idempotency-Key": f"{what}-{n}"} if has_key else {}
        wire.reset()
        answer = await counted_customer.http.post(
            "/v1/engagement-summary", json={"domain": domain}, headers=headers
        )
        assert answer.status_code == 202
        spent[what].add(wire.trips)
        return answer.json()

    for n in range(8):  # also past the fifth time, when statements become prepared ones
        started = await start(f"company{n}.example", "POST", n)
        assert await start(f"company{n}.example", "again", n) == started
        if has_key:
            assert await start(f"company{n}.example", "replay", n) == started
            assert await start(f"company{n}.example", "replay", n) == started
        wire.reset()
        await counted_customer.record(f"company{n}.example", started["run_id"])
        spent["GET"].add(wire.trips)
    for what, trips in spent.items():
        assert max(trips, default=0) <= MOST_TRIPS, (what, trips)
    assert max(spent["GET"]) <= 2
