"""A channel, and what reads it."""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
import pytest_asyncio
from psycopg.rows import dict_row

from tidings.ai.engines.local.topics import Topic
from tidings.ai.engines.local.utterances import Said
from tidings.ai.gateway import Gateway
from tidings.ai.testing import FakeProvider
from tidings.base import clock
from tidings.base.settings import Settings
from tidings.db.transaction import Database
from tidings.intelligence.read import Reader
from tidings.intelligence.show import Intelligence, get_intelligence
from tidings.queue.claim import add_claim
from tidings.queue.context import JobContext
from tidings.tenancy.secret_keys import load_secret_keys

from factories.channels import add_messages, make_channel
from factories.organizations import Organization

_WORD = re.compile(r"[a-z]{6,}")


def spoken_of(said: Sequence[Said], most: int = 8) -> list[Topic]:
    """Each long word is a topic: what is kept of topics is tested here, not who finds them."""
    found: dict[str, list[int]] = {}
    for index, one in enumerate(said):
        for word in sorted(set(_WORD.findall(one.text.lower()))):
            found.setdefault(word, []).append(index)
    return [Topic(word, 0.5, indexes) for word, indexes in sorted(found.items())][:most]


@pytest.fixture(autouse=True)
def plain_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidings.intelligence.read.topics", spoken_of)


class Watched:
    """One channel of one organization, read as a worker reads it."""

    def __init__(
        self, db: Database, organization: Organization, channel_id: UUID, gateway: Gateway, url: str
    ) -> None:
        self.db = db
        self.tenant = organization.tenant
        self.service = organization.tenant.as_service()
        self.id = channel_id
        self.gateway = gateway
        self.reader = Reader(db, gateway)
        self._url = url

    async def say(self, *said: tuple[str, str], **more: Any) -> list[UUID]:
        """Messages a minute apart, the last of them a minute ago."""
        more.setdefault("start", clock.now() - timedelta(minutes=len(said)))
        return await add_messages(self.db, self.tenant, self.id, said, **more)

    async def read(self) -> int:
        return await self.reader.read(self.service, self.id)

    async def shown(self) -> Intelligence:
        return await get_intelligence(self.db, self.tenant, self.id)

    async def rows(self, statement: str, *params: Any) -> list[dict[str, Any]]:
        """Look at the tables, or move them, as nobody in production can."""
        async with await psycopg.AsyncConnection.connect(
            self._url, row_factory=dict_row
        ) as connection:
            cursor = await connection.execute(statement, params)
            return await cursor.fetchall() if cursor.description else []

    async def claim(self, kind: str) -> JobContext:
        """The next job of a kind, whenever it is due, as a worker holds it."""
        await self.rows("UPDATE tidings.jobs SET run_at = tidings.now() WHERE kind = %s", kind)
        async with self.db.system_batch() as batch:
            found = add_claim(batch, [kind], 1, lease=60, worker="w1")
        (job,) = found.rows
        return JobContext(self.db, job)

    async def jobs(self, kind: str) -> list[dict[str, Any]]:
        return await self.rows("SELECT * FROM tidings.jobs WHERE kind = %s ORDER BY id", kind)


Configure = Callable[..., Gateway]


@pytest_asyncio.fixture
async def open_gateway(db: Database, settings: Settings) -> AsyncIterator[Callable[..., Gateway]]:
    opened: list[Gateway] = []

    def open_one(**changes: Any) -> Gateway:
        fields = {
            **settings.model_dump(),
            "secret_key": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        }
        given = Settings(**{**fields, **changes}, _env_file=None)
        opened.append(Gateway(db, given, load_secret_keys(given)))
        return opened[-1]

    yield open_one
    for gateway in opened:
        await gateway.close()


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    async with FakeProvider() as fake:
        yield fake


@pytest_asyncio.fixture
async def channel(
    db: Database,
    organization: Organization,
    open_gateway: Callable[..., Gateway],
    superuser_url: str,
) -> Watched:
    channel_id = await make_channel(db, organization.tenant)
    return Watched(db, organization, channel_id, open_gateway(), superuser_url)


@pytest.fixture
def with_provider(
    channel: Watched, open_gateway: Callable[..., Gateway], provider: FakeProvider
) -> Watched:
    """The same channel where TIDINGS_ENGINE is a provider."""
    channel.gateway = open_gateway(
        engine="openai:gpt-4o-mini", openai_api_key="sk-x", openai_base_url=provider.base_url
    )
    channel.reader = Reader(channel.db, channel.gateway)
    return channel
