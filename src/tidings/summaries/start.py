"""Asking for a summary: the one that is cached, or a run that makes it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from tidings.ai.gateway import Gateway
from tidings.base import clock
from tidings.base.errors import RoleForbidden, RowMissing
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Transaction
from tidings.queue.runs import StartedRun, start_run
from tidings.summaries.ask import AskRequest, Question, check
from tidings.summaries.reading import READ_WINDOW
from tidings.summaries.record import Summary
from tidings.summaries.reducing import REDUCE
from tidings.summaries.windows import Span

sql = load_queries("tidings.summaries")

KIND = "summaries.write"
DEADLINE = timedelta(minutes=10)


class Plan(msgspec.Struct, frozen=True):
    """What a summary would read now, its key, and the summary that answers already."""

    key: str
    spans: list[Span]
    summary: Summary | None


class Args(msgspec.Struct, frozen=True):
    """The arguments of the job; without an engine the organization's own is asked."""

    question: Question
    engine: str | None


class Asked(msgspec.Struct, frozen=True):
    """A checked request: the cached summary, or what a run is started with."""

    question: Question
    engine: str
    key: str
    summary: Summary | None


def acting(tenant: Tenant) -> Tenant:
    """The tenant that starts the run: a service, for somebody who may write."""
    if not tenant.may_write:
        raise RoleForbidden
    return tenant.as_service()


async def ask(db: Database, gateway: Gateway, tenant: Tenant, request: AskRequest) -> Asked:
    """Check a request and look for its answer: two round trips.

    Raises `InputInvalid`, `RowMissing` for a thread or channel that the tenant may not read, and as
    `Gateway.engine_for` does.
    """
    question = check(request, clock.now())
    engine = await gateway.engine_for(tenant, request.engine)
    found = await look_up(db, tenant, question, edition(gateway, engine))
    if question.reference is not None and not found.spans:
        raise RowMissing
    return Asked(question, engine, found.key, found.summary)


async def look_up(db: Database, tenant: Tenant, question: Question, edition: str) -> Plan:
    """The key of a question as things stand, what to read for it, and the cached answer."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(
            sql.look_up,
            {
                "type": question.type,
                "channel_id": question.channel_id,
                "thread_id": question.thread_id,
                "from_at": question.from_at,
                "until_at": question.until_at,
                "edition": edition,
            },
        )
    return msgspec.convert(found.one(), Plan)


async def start(transaction: Transaction, asked: Asked) -> StartedRun:
    """The run that makes the summary, in a transaction of `acting(tenant)`: one round trip.

    Of any number who ask for the same at once, one makes it.
    """
    return await start_run(
        transaction,
        kind=KIND,
        subject=f"{asked.question.type}:{asked.key[:32]}",
        args=Args(asked.question, asked.engine),
        deadline=DEADLINE,
    )


def edition(gateway: Gateway, engine: str) -> str:
    """Who writes, in which version: part of every key."""
    versions = (gateway.version(operation, engine) for operation in (READ_WINDOW, REDUCE))
    return "/".join((engine, *versions))


def result_of(summary_id: UUID) -> dict[str, Any]:
    """What a run says when it is complete."""
    return {"summary_id": str(summary_id), "url": f"/v1/summaries/{summary_id}"}
