"""A channel with rules, and the job that considers what comes in."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
import pytest
import pytest_asyncio
from psycopg.rows import dict_row

from tidings.ai.gateway import Gateway
from tidings.base import clock
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.db.transaction import Database
from tidings.queue.claim import ClaimedJob, add_claim
from tidings.queue.context import JobContext
from tidings.queue.enqueue import NewJob, enqueue
from tidings.replies.consider import KIND, Args, Considerer
from tidings.replies.rule import Rule, RuleDraft
from tidings.replies.rules import create_rule
from tidings.tenancy.secret_keys import load_secret_keys

from factories.channels import add_messages, make_channel


class Desk:
    """One channel of one organization, and everything that happens at it."""

    def __init__(
        self, db: Database, gateway: Gateway, tenant: Tenant, channel_id: UUID, superuser_url: str
    ) -> None:
        self.db = db
        self.gateway = gateway
        self.tenant = tenant
        self.channel_id = channel_id
        self.superuser_url = superuser_url
        self.considerer = Considerer(db, gateway)

    async def rule(self, tenant: Tenant | None = None, **fields: Any) -> Rule:
        given = {"name": "Hours", "response_template": "Thank you, {sender_name}."}
        async with self.db.tenant_transaction(tenant or self.tenant) as transaction:
            return await create_rule(transaction, RuleDraft(**(given | fields)))

    async def say(self, *said: tuple[str, str], **more: Any) -> list[UUID]:
        """Messages that were sent now."""
        more.setdefault("start", clock.now())
        return await add_messages(self.db, self.tenant, self.channel_id, said, **more)

    async def job(self, position: int) -> JobContext:
        """The job, claimed."""
        args = Args(self.channel_id, position)
        async with self.db.tenant_batch(self.tenant) as batch:
            enqueue(batch, NewJob(kind=KIND, args=args))
        async with self.db.system_batch() as batch:
            found = add_claim(batch, [KIND], 1, lease=15, worker="w")
        job: ClaimedJob = found.rows[0]
        return JobContext(self.db, job)

    async def consider(self, position: int | None = None) -> None:
        """Do the job up to this position, or the channel's last."""
        if position is None:
            ((position,),) = await self.look("SELECT max(position) FROM tidings.messages")
        context = await self.job(position)
        await self.considerer.run(context, Args(self.channel_id, position))

    async def look(self, statement: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Ask past row security."""
        async with await psycopg.AsyncConnection.connect(
            self.superuser_url, autocommit=True
        ) as connection:
            cursor = await connection.execute(statement, params)
            return await cursor.fetchall() if cursor.description else []

    async def log(self) -> list[dict[str, Any]]:
        """Every row of the log, in the order of the messages."""
        async with await psycopg.AsyncConnection.connect(
            self.superuser_url, row_factory=dict_row
        ) as connection:
            cursor = await connection.execute(
                "SELECT l.*, m.body FROM tidings.message_auto_response_log AS l "
                "JOIN tidings.messages AS m ON m.id = l.message_id ORDER BY m.position, l.id"
            )
            return await cursor.fetchall()

    async def outcomes(self) -> list[tuple[str, str | None]]:
        return [(row["outcome"], row["guard"]) for row in await self.log()]


@pytest_asyncio.fixture
async def gateway(db: Database, settings: Settings):
    made = Gateway(db, settings, load_secret_keys(settings))
    yield made
    await made.close()


@pytest_asyncio.fixture
async def desk(db, gateway, organization, superuser_url) -> Desk:
    channel_id = await make_channel(db, organization.tenant)
    return Desk(db, gateway, organization.tenant, channel_id, superuser_url)


@pytest.fixture
def approvals(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every draft that is made, also of transactions that fail."""
    from tidings.replies import consider

    made: list[Any] = []
    real = consider.draft

    def note(statements: Any, new: Any) -> UUID:
        made.append(new)
        return real(statements, new)

    monkeypatch.setattr(consider, "draft", note)
    return made
