"""The whole web application on a database of its own, and the people who use it."""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import msgspec
import psycopg
from litestar import Litestar

from tidings.base.ids import uuid7
from tidings.base.settings import Settings
from tidings.base.tenant import Role, Tenant
from tidings.db.addresses import Addresses
from tidings.queue.runs import Run, get_run
from tidings.realtime.relay import Relay
from tidings.realtime.subscribe import Hub
from tidings.tenancy.api_keys import issue_key
from tidings.tenancy.sign_in import issue_link
from tidings.tenancy.tokens import hash_token, new_token
from tidings.web.app import create_app
from tidings.web.auth import SESSION_COOKIE
from tidings.web.services import Services
from tidings.wiring import System, build_worker, open_system, realtime, recalling, topic_checks

BASE = "http://tidings.test"
JSON = {"content-type": "application/json"}


class Person(msgspec.Struct, frozen=True):
    """A member of an organization."""

    tenant: Tenant
    email: str


class Browser(msgspec.Struct, frozen=True):
    """A signed-in client with its CSRF token."""

    client: httpx.AsyncClient
    csrf: str

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.client.get(path, **more)

    async def post(self, path: str, fields: dict[str, Any] | None = None) -> httpx.Response:
        """Send a form as a page without JavaScript does."""
        return await self.client.post(path, data={"_csrf_token": self.csrf} | (fields or {}))


class Team(msgspec.Struct, frozen=True):
    """An organization with one member of each role."""

    organization_id: UUID
    people: dict[str, Person]


@dataclass
class House:
    """An application under test; requests go in without a socket."""

    app: Litestar
    system: System
    superuser_url: str
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def services(self) -> Services:
        services: Services = self.app.state.services
        return services

    def client(self, key: str | None = None, **headers: str) -> httpx.AsyncClient:
        """A client with an API key, or without any credential."""
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url=BASE, headers=headers
        )
        self.clients.append(client)
        return client

    async def sql(self, statement: str, *params: Any) -> list[Any]:
        """Run a statement past row security."""
        async with await psycopg.AsyncConnection.connect(
            self.superuser_url, autocommit=True
        ) as connection:
            cursor = await connection.execute(statement, params)
            return await cursor.fetchall() if cursor.description else []

    async def team(self, name: str = "Harbour & Pine") -> Team:
        """A new organization with an owner, an admin, a member and a viewer."""
        organization_id = uuid7()
        people = {}
        await self.sql(
            "INSERT INTO tidings.organizations (id, name) VALUES (%s, %s)", organization_id, name
        )
        roles: tuple[Role, ...] = ("owner", "admin", "member", "viewer")
        for role in roles:
            user_id = uuid7()
            email = f"{role}-{user_id}@example.com"
            await self.sql(
                "WITH u AS (INSERT INTO tidings.users (id, email, name) VALUES (%s, %s, %s)"
                " RETURNING id) INSERT INTO tidings.organization_members"
                " (organization_id, user_id, role) SELECT %s, id, %s FROM u",
                user_id,
                email,
                f"The {role.title()}",
                organization_id,
                role,
            )
            people[role] = Person(Tenant(organization_id, user_id, role), email)
        return Team(organization_id, people)

    async def key(self, team: Team, role: Role = "owner", scopes: Sequence[str] = ()) -> str:
        """An API key of the member with this role."""
        issued = await issue_key(self.system.db, team.people[role].tenant, "Test", scopes=scopes)
        return issued.key

    async def api(self, team: Team, role: Role = "owner", *scopes: str) -> httpx.AsyncClient:
        """A client that acts as the member with this role."""
        return self.client(await self.key(team, role, scopes))

    async def browser(self, team: Team, role: Role = "owner") -> Browser:
        """A browser that is signed in; the session is made by SQL, signing in has its own tests."""
        token, csrf = new_token(), new_token()
        person = team.people[role]
        await self.sql(
            "INSERT INTO tidings.sessions (organization_id, id, user_id, token_hash, csrf, method,"
            " expires_at, lifetime) VALUES (%s, %s, %s, %s, %s, 'password',"
            " tidings.now() + interval '1 day', interval '1 day')",
            team.organization_id,
            uuid7(),
            person.tenant.user_id,
            hash_token(token),
            csrf,
        )
        client = self.client()
        client.cookies.set(SESSION_COOKIE, token)
        return Browser(client, csrf)

    async def summarise(self, team: Team, domain: str, *said: str, number: int = 1) -> Run:
        """Store a meeting with a company (none without words) and summarise it to the end."""
        api = await self.api(team)
        if said:
            items = [meeting(number, domain, *said)]
            (await api.post("/v1/meetings", json={"items": items})).raise_for_status()
        started = await api.post("/v1/engagement-summary", json={"domain": domain})
        return await self.finish(team, UUID(started.json()["run_id"]))

    async def finish(self, team: Team, run_id: UUID) -> Run:
        """Work until this run has ended."""
        tenant = team.people["owner"].tenant
        worker = build_worker(self.system, self.services.relay)
        working = asyncio.create_task(worker.run())
        async with self.services.hub.subscribe(tenant, [f"run:{run_id}"]) as events:
            run = await get_run(self.system.db, tenant, run_id)
            while run.is_live:
                await anext(events)
                run = await get_run(self.system.db, tenant, run_id)
        worker.stop()
        await working
        return run

    async def link(self, person: Person) -> str:
        """A one-time sign-in token."""
        token = await issue_link(self.system.db, person.email)
        assert token is not None
        return token


@asynccontextmanager
async def open_house(
    settings: Settings, app_url: str, superuser_url: str, *, live: bool = True
) -> AsyncIterator[House]:
    """The application, started; without `live`, relay and hub are there but do not run."""
    addresses = Addresses(app_url, None, app_url if live else None, None)
    systems: list[System] = []

    @asynccontextmanager
    async def services() -> AsyncIterator[Services]:
        async with open_system(settings, addresses) as system:
            systems.append(system)
            if live:
                async with realtime(system) as (hub, relay), recalling(system) as recall:
                    yield system.services(hub, relay, recall)
            else:
                yield system.services(Hub(system.db, topic_checks(system.db)), Relay(system.db))

    app = create_app(settings, services)
    async with app.lifespan():
        house = House(app, systems[0], superuser_url)
        yield house
        for client in house.clients:
            await client.aclose()


def settings_for(app_url: str, **changes: Any) -> Settings:
    """Settings of a house; nothing comes from the environment."""
    fields: dict[str, Any] = {
        "database_url": app_url,
        "pool_primary_min": 1,
        "pool_primary_max": 10,
        "pool_timeout": 20,
        "secret_key": base64.b64encode(secrets.token_bytes(32)).decode(),
        "_env_file": None,
    }
    return Settings(**(fields | changes))


def meeting(
    number: int,
    domain: str,
    *said: str,
    title: str | None = None,
    at: datetime | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A meeting in Fathom's item shape with one outside invitee, who says it all."""
    when = at or datetime(2026, 3, 1 + number % 28, 9, tzinfo=UTC)
    return {
        "recording_id": number,
        "title": title or f"Meeting {number}",
        "created_at": when.isoformat(),
        "calendar_invitees": [
            {"name": "Ada Sorensen", "email": f"ada@{domain}", "is_external": True}
        ],
        "transcript": [
            {
                "speaker": {"display_name": "Ada Sorensen"},
                "text": text,
                "timestamp": f"00:00:{10 + n:02}",
            }
            for n, text in enumerate(said or ["Our goal is to open the second site by May."])
        ],
    } | more


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem details of an answer that must be exactly this one."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["code"] == code, body
    assert body["type"] == f"urn:tidings:problem:{code}"
    assert body["title"]
    assert body["detail"]
    assert not {"traceback", "exception"} & body.keys()
    return body
