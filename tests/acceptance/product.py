"""The product, running: web over HTTP, workers, and a look at the tables past row security."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import uvicorn
from litestar import Litestar
from psycopg.rows import dict_row

from tidings.base.authorities import authorities
from tidings.base.settings import Settings
from tidings.base.tenant import Role
from tidings.db.addresses import Addresses
from tidings.realtime.relay import Relay
from tidings.realtime.subscribe import Hub
from tidings.tenancy.api_keys import issue_key
from tidings.web.app import create_app
from tidings.web.services import Services
from tidings.web.socket.protocol import SocketProtocol
from tidings.wiring import System, build_worker, open_system, realtime, recalling

from factories.organizations import Organization, make_organization

PATIENCE = 60
"""Seconds that anything may take on a busy machine before a test fails."""

MODEL = "openai:test-model"
PRICES = json.dumps({MODEL: {"input": "0.15", "output": "0.60"}})
ENDS = ("complete", "error", "cancelled")

Record = dict[str, Any]
Rows = list[dict[str, Any]]


def settings_for(database_url: str, home: Path, **changes: Any) -> Settings:
    """Settings of a product on that database, with nothing taken from this machine."""
    fields: dict[str, Any] = {
        "home": home,
        "database_url": database_url,
        "listen_url": database_url,
        "pool_primary_min": 2,
        "pool_primary_max": 10,
        "secret_key": base64.b64encode(b"k" * 32).decode(),
        "openai_api_key": None,
        "anthropic_api_key": None,
        "fathom_api_key": None,
        "shutdown_grace": 1.0,
    }
    return Settings(**{**fields, **changes}, _env_file=None)


class Customer:
    """An organization's user with an API key, over HTTP."""

    def __init__(self, url: str, key: str, organization: Organization) -> None:
        self.organization = organization
        self.key = key
        self.url = url
        self.http = self.connect()

    def connect(self) -> httpx.AsyncClient:
        """Another client of the same user."""
        return httpx.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=PATIENCE,
            trust_env=False,
            verify=authorities(),
        )

    async def capture(self, *items: Mapping[str, Any]) -> dict[str, Any]:
        answer = await self.http.post("/v1/meetings", json={"items": items})
        assert answer.status_code == 200, answer.text
        captured: dict[str, Any] = answer.json()
        assert captured["errors"] == []
        return captured

    async def meetings(self, domain: str) -> list[dict[str, Any]]:
        """The company's meetings with their transcripts, newest first."""
        listed = (await self.http.get("/v1/meetings", params={"domain": domain})).json()
        return [
            (await self.http.get(f"/v1/meetings/{each['id']}")).json() for each in listed["items"]
        ]

    async def start(self, domain: str, **options: Any) -> str:
        answer = await self.http.post("/v1/engagement-summary", json={"domain": domain, **options})
        assert answer.status_code == 202, answer.text
        run_id: str = answer.json()["run_id"]
        return run_id

    async def records(self, domain: str, run_id: str) -> list[Record]:
        """What the front ends poll."""
        answer = await self.http.get(
            "/v1/engagement-status", params={"domain": domain, "run_id": run_id}
        )
        assert answer.status_code == 200, answer.text
        found: list[Record] = answer.json()
        return found

    async def record(self, domain: str, run_id: str) -> Record:
        (record,) = await self.records(domain, run_id)
        return record

    async def events(self, run_id: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """What the run's stream says, from its present state to its end."""
        async with self.http.stream("GET", f"/v1/runs/{run_id}/events") as answer:
            assert answer.status_code == 200
            name = ""
            async for line in answer.aiter_lines():
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value.strip()
                elif field == "data" and value.strip():
                    yield name, json.loads(value)

    async def reached(self, run_id: str, *stages: str, done: int = 0) -> None:
        """Until the run is in one of the stages, with so many of its steps done."""
        async with asyncio.timeout(PATIENCE):
            async for name, state in self.events(run_id):
                assert name == "progress", f"ended as {name}: {state}"
                if state["progress"]["stage"] in stages and state["progress"]["done"] >= done:
                    return

    async def ended(self, run_id: str) -> str:
        """How the run ended, once it has."""
        name = ""
        async with asyncio.timeout(PATIENCE):
            async for name, _ in self.events(run_id):
                if name in ENDS:
                    break
        assert name in ENDS
        return name

    async def summarise(self, domain: str, **options: Any) -> Record:
        """The record of a run that has ended."""
        run_id = await self.start(domain, **options)
        ended = await self.ended(run_id)
        record = await self.record(domain, run_id)
        assert record["status"] == ("error" if ended == "cancelled" else ended)
        return record

    async def complete(self, domain: str, **options: Any) -> dict[str, Any]:
        """The summary of a run that went well."""
        record = await self.summarise(domain, **options)
        assert record["status"] == "complete", record["error"]
        summary: dict[str, Any] = record["summary"]
        return summary


@dataclass
class Product:
    """One web process's parts in this process, and its customers."""

    settings: Settings
    system: System
    hub: Hub
    relay: Relay
    url: str
    superuser_url: str
    eye: psycopg.AsyncConnection[dict[str, Any]]
    customers: list[Customer]

    async def customer(
        self, of: Organization | None = None, *, role: Role = "owner", name: str = "Harbour & Pine"
    ) -> Customer:
        """A key of a new organization, or of another role in one that is there."""
        organization = of or await make_organization(self.superuser_url, name)
        key = await issue_key(self.system.db, organization.tenant, "tests", role=role)
        customer = Customer(self.url, key.key, organization)
        self.customers.append(customer)
        return customer

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """A worker of this product while the block lasts; stopped gracefully."""
        worker = build_worker(self.system, self.relay)
        running = asyncio.create_task(worker.run())
        try:
            yield
        finally:
            worker.stop()
            await running

    async def look(self, statement: str, *params: Any) -> Rows:
        """Ask the database as nobody in production can."""
        cursor = await self.eye.execute(statement.encode(), params or None)
        return await cursor.fetchall() if cursor.rownumber is not None else []


@asynccontextmanager
async def open_product(settings: Settings, superuser_url: str) -> AsyncIterator[Product]:
    """The web, without a worker yet."""
    assert settings.database_url is not None
    addresses = Addresses(settings.database_url, None, settings.listen_url, None)
    async with (
        open_system(settings, addresses) as system,
        realtime(system) as (hub, relay),
        recalling(system) as recall,
        await psycopg.AsyncConnection.connect(
            superuser_url, autocommit=True, row_factory=dict_row
        ) as eye,
    ):

        @asynccontextmanager
        async def services() -> AsyncIterator[Services]:
            yield system.services(hub, relay, recall)

        async with serving(create_app(settings, services)) as url:
            product = Product(settings, system, hub, relay, url, superuser_url, eye, [])
            try:
                yield product
            finally:
                for customer in product.customers:
                    await customer.http.aclose()


@asynccontextmanager
async def serving(app: Litestar) -> AsyncIterator[str]:
    """uvicorn on a free port of this machine; the address."""
    listener = socket.create_server(("127.0.0.1", 0))
    # Inherited by its connections: uvicorn writes an answer in two, and the second would wait.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, ws=SocketProtocol, lifespan="on",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        # It listens already, so that the first request waits for the start.
        async with httpx.AsyncClient(
            base_url=url, timeout=PATIENCE, trust_env=False, verify=authorities()
        ) as http:
            assert (await http.get("/readyz")).status_code == 200
        yield url
    finally:
        server.should_exit = True
        await running


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # they are pytest's
