"""Asking an engine about a board: from the store when the same was asked of the same texts.

Else a run, whose worker asks, writes what the answer changes, and stores it for 24 hours.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from tidings.ai.engine_name import LOCAL
from tidings.ai.gateway import Gateway
from tidings.ai.responses import response_key
from tidings.base.errors import InputInvalid, RowMissing, ScoreUnsupported
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.brainstorm.board import ContextMessage, Idea, sql
from tidings.brainstorm.effects import add_suggestions, put_on_board, suggestions
from tidings.brainstorm.operations import OPERATIONS, Asked
from tidings.brainstorm.shapes import Answer, Source, with_ids
from tidings.brainstorm.techniques import TECHNIQUES
from tidings.db.transaction import Database
from tidings.queue.context import JobContext
from tidings.queue.runs import start_run

KIND = "brainstorm"
TTL = timedelta(hours=24)
DEADLINE = timedelta(minutes=10)
MOST_CONTEXT = 40
"""Messages of the conversation that an engine is told, the last ones."""
_LONGEST_MESSAGE = 1000

_NEEDS = {"cluster": 2, "synthesize": 2, "similar": 2, "connections": 2, "score": 1, "gaps": 1}
_PICKS = {"expand": (1, 1), "variations": (1, 1), "synthesize": (2, 20), "score": (0, 100)}


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What to ask: `technique` for generate (unset: all of the framework's), `count` of clusters.

    `idea_ids` are what it is about: one for expand and variations, two or more for synthesize,
    any for score. `fresh` has generate look for ideas beside those that were suggested before.
    Without `add`, new ideas are answered alone; `add_answer` puts those on the board that please.
    """

    technique: str | None = None
    count: int | None = None
    idea_ids: list[UUID] = []
    engine: str | None = None
    fresh: bool = False
    add: bool = True


class Result(msgspec.Struct, frozen=True):
    """What an engine answered; `idea_ids` are the ideas that it put on the board."""

    id: UUID
    operation: str
    engine: str
    answer: Any
    idea_ids: list[UUID]
    from_cache: bool
    asked_by: UUID | None
    created_at: Any


class AskAnswer(msgspec.Struct, frozen=True):
    """A run to wait for, or the result at once when the same was asked of the same texts.

    `result` is null while the board hides what engines say.
    """

    status: str
    run_id: UUID | None = None
    from_cache: bool = False
    result: Result | None = None


class Args(msgspec.Struct, frozen=True):
    """The arguments of the job: no text of the board is among them."""

    session_id: UUID
    operation: Asked
    engine: str
    ask: Ask


class _Known(msgspec.Struct, frozen=True):
    source: Source
    ids: list[UUID]


async def ask_engine(
    db: Database, gateway: Gateway, tenant: Tenant, session_id: UUID, operation: Asked, ask: Ask
) -> AskAnswer:
    """Answer from the store, or start a run. Whoever may edit the board may ask.

    Raises `RowMissing`, `RoleForbidden`, `InputInvalid`, `ScoreUnsupported`, and what
    `Gateway.engine_for` raises.
    """
    async with db.tenant_batch(tenant) as batch:
        batch.queue(sql.may_edit, {"id": session_id})
    engine = await gateway.engine_for(tenant, ask.engine)
    if operation == "score" and engine == LOCAL:
        raise ScoreUnsupported
    known = await _read(db, tenant.as_service(), session_id, operation, ask)
    key = _key(gateway, operation, engine, known.source)
    async with db.tenant_transaction(tenant.as_service()) as transaction:
        kept = await transaction.optional(sql.find_answer, {"key": key})
        if kept is None:
            run = await start_run(
                transaction,
                kind=KIND,
                subject=f"{session_id}/{operation}/{key[:16]}{'' if ask.add else '/offered'}",
                args=Args(session_id, operation, engine, ask),
                deadline=DEADLINE,
            )
            return AskAnswer("processing", run.run_id)
        result_id = uuid7()
        added = await put_on_board(
            transaction, session_id, operation, kept["answer"], known.ids, add=ask.add
        )
        answer = with_ids(kept["answer"], [str(one) for one in known.ids])
        row = _row(session_id, result_id, operation, kept["engine"], answer, added)
        await transaction.execute(sql.insert_result, row | {"from_cache": True})
    # As the person who asks: while people's ideas come first, it is there but not shown.
    given = {"id": session_id, "result_id": result_id, "before": None, "limit": 1}
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.list_results, given, row=Result)
    return AskAnswer("complete", None, True, found.optional())


async def get_result(db: Database, tenant: Tenant, session_id: UUID, result_id: UUID) -> Result:
    """One result. Raises `RowMissing`."""
    given = {"id": session_id, "result_id": result_id, "before": None, "limit": 1}
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.list_results, given, row=Result)
    return found.one()


async def add_answer(
    db: Database, tenant: Tenant, session_id: UUID, result_id: UUID, picked: Sequence[int] | None
) -> list[UUID]:
    """Make suggestions of an answer ideas, by their places in it (None: all); those that are new.

    What the board has already is left out: safe to repeat. Raises `RowMissing`, `RoleForbidden`,
    and `InputInvalid` for places that the answer does not have.
    """
    given = {"id": session_id, "result_id": result_id, "before": None, "limit": 1}
    async with db.tenant_batch(tenant) as batch:
        batch.queue(sql.may_edit, {"id": session_id})
        found = batch.add(sql.list_results, given, row=Result)
    result = found.one()
    offered = suggestions(result.operation, result.answer)
    places = range(len(offered)) if picked is None else list(dict.fromkeys(picked))
    if not all(0 <= place < len(offered) for place in places):
        raise InputInvalid.of("items", f"must be places from 0 to {len(offered) - 1}")
    async with db.tenant_transaction(tenant.as_service()) as transaction:
        return await add_suggestions(transaction, session_id, [offered[one] for one in places])


async def list_results(
    db: Database, tenant: Tenant, session_id: UUID, *, before: UUID | None = None, limit: int = 20
) -> list[Result]:
    """What engines answered about a board, the latest first. Raises `RowMissing`."""
    given = {"id": session_id, "result_id": None, "before": before, "limit": limit}
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        known = batch.add(sql.is_readable, {"id": session_id})
        found = batch.add(sql.list_results, given, row=Result)
    if not known.value():
        raise RowMissing("There is no such brainstorm here.")
    return found.rows


class Brainstormer:
    """Does the jobs; built once by the wiring."""

    def __init__(self, db: Database, gateway: Gateway) -> None:
        """The gateway is the one door to engines."""
        self._db = db
        self._gateway = gateway

    async def run(self, context: JobContext, args: Args) -> None:
        """Ask, then write what the answer changes, the store and the end of the job together."""
        tenant, run_id = context.tenant, context.run_id
        assert run_id is not None
        await context.progress("read", 0, 1)
        operation = OPERATIONS[args.operation]
        known = await _read(self._db, tenant, args.session_id, args.operation, args.ask)
        completed = await self._gateway.complete(
            tenant, operation, known.source, engine=args.engine, run_id=run_id
        )
        answer = with_ids(completed.answer, [str(one) for one in known.ids])
        key = _key(self._gateway, args.operation, args.engine, known.source)
        async with self._db.tenant_transaction(tenant) as transaction:
            url = f"/v1/brainstorms/{args.session_id}/results/{run_id}"
            result = {"session_id": str(args.session_id), "result_id": str(run_id), "url": url}
            context.finish(transaction, result)
            added = await put_on_board(
                transaction,
                args.session_id,
                args.operation,
                completed.answer,
                known.ids,
                add=args.ask.add,
            )
            row = _row(args.session_id, run_id, args.operation, completed.engine, answer, added)
            transaction.queue(sql.insert_result, row | {"from_cache": False})
            transaction.queue(
                sql.keep_answer,
                {
                    "key": key,
                    "operation": args.operation,
                    "engine": completed.engine,
                    "answer": msgspec.json.encode(completed.answer).decode(),
                    "ttl": TTL,
                },
            )


def _key(gateway: Gateway, operation: Asked, engine: str, source: Source) -> str:
    asked = OPERATIONS[operation]
    told = msgspec.json.encode(source).decode()
    return response_key(operation, engine, gateway.version(asked, engine), told)


def _row(
    session_id: UUID,
    result_id: UUID,
    operation: Asked,
    engine: str,
    answer: Answer,
    added: list[UUID],
) -> dict[str, Any]:
    return {
        "id": session_id,
        "result_id": result_id,
        "operation": operation,
        "engine": engine,
        "answer": msgspec.json.encode(answer).decode(),
        "idea_ids": added,
    }


async def _read(
    db: Database, service: Tenant, session_id: UUID, operation: Asked, ask: Ask
) -> _Known:
    """The texts of a question. What people do not see yet, an engine is not told either."""
    given = {"id": session_id}
    async with db.tenant_batch(service, repeatable=True) as batch:
        sessions = batch.add(sql.source_session, given)
        ideas = batch.add(sql.list_ideas, given | {"idea_id": None}, row=Idea)
        messages = batch.add(sql.list_context, given, row=ContextMessage)
    session = sessions.optional()
    if session is None:
        raise RowMissing("There is no such brainstorm here.")
    told = [one for one in ideas.rows if one.origin == "person" or not session["hides_ai"]]
    source = Source(
        topic=session["topic"],
        description=session["description"],
        techniques=_techniques(session["framework"], ask) if operation == "generate" else [],
        count=_count(operation, ask),
        context=[
            f"{message.sender}: {' '.join(message.body.split())[:_LONGEST_MESSAGE]}"
            for message in messages.rows[-MOST_CONTEXT:]
        ],
        avoid=sorted(one.text for one in told if one.origin == "engine")
        if operation == "generate" and ask.fresh
        else [],
    )
    told = [one for one in told if _concerns(operation, ask, one)]
    # In the order of their texts: moving a card is no other question.
    told.sort(key=lambda one: (one.text, one.id))
    picked = _picked(operation, ask, [one.id for one in told])
    if len(told) < _NEEDS.get(operation, 0):
        raise InputInvalid.of("ideas", f"are too few; this takes at least {_NEEDS[operation]}")
    texts = [one.text for one in told]
    source = msgspec.structs.replace(source, ideas=texts, picked=picked)
    return _Known(source, [one.id for one in told])


def _concerns(operation: Asked, ask: Ask, idea: Idea) -> bool:
    """Whether an engine is told an idea: not what the answer adds, or a repeat were a new question.

    To join ideas, those alone are told; to find new ones, those of people beside the one it is of.
    """
    if operation == "synthesize":
        return idea.id in ask.idea_ids
    if operation in ("generate", "variations"):
        return idea.origin == "person" or (operation == "variations" and idea.id in ask.idea_ids)
    return True


def _techniques(framework: str, ask: Ask) -> list[str]:
    known = TECHNIQUES[framework]
    if ask.technique is None:
        return list(known)
    if ask.technique not in known:
        raise InputInvalid.of("technique", f"must be one of {', '.join(known)}")
    return [ask.technique]


def _count(operation: Asked, ask: Ask) -> int | None:
    if operation != "cluster" or ask.count is None:
        return None
    if not 2 <= ask.count <= 10:
        raise InputInvalid.of("count", "must be from 2 to 10")
    return ask.count


def _picked(operation: Asked, ask: Ask, ids: list[UUID]) -> list[int]:
    fewest, most = _PICKS.get(operation, (0, 0))
    wanted = list(dict.fromkeys(ask.idea_ids)) if most else []
    if not fewest <= len(wanted) <= most:
        amount = str(fewest) if fewest == most else f"{fewest} to {most}"
        raise InputInvalid.of("idea_ids", f"must name {amount} of the board's ideas")
    places = {one: place for place, one in enumerate(ids)}
    if not places.keys() >= set(wanted):
        raise RowMissing("There is no such idea here.")
    return sorted(places[one] for one in wanted)
