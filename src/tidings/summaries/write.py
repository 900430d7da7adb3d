"""The run: gather, read what is new, reduce, verify; then summary, cache and job in one commit.

A kill at any point leaves windows that were read already and nothing else; the next try reads only
what is missing.
"""

import asyncio
from uuid import UUID

import msgspec

from tidings.ai.engine_name import LOCAL
from tidings.ai.gateway import Gateway
from tidings.ai.responses import Store
from tidings.base import clock
from tidings.base.errors import RowMissing
from tidings.base.ids import uuid7
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.queue.worker import JobContext
from tidings.summaries.answered import without_answered
from tidings.summaries.ask import AskRequest, Question, check
from tidings.summaries.draft import Draft, Heard, Reading, Reduction, lines_of
from tidings.summaries.messages import Gathered, gather
from tidings.summaries.reading import READ_WINDOW
from tidings.summaries.record import PERSONAL, Content
from tidings.summaries.reducing import REDUCE
from tidings.summaries.start import Args, Plan, edition, look_up, result_of
from tidings.summaries.verify import conclude
from tidings.summaries.windows import Window, windows

sql = load_queries("tidings.summaries")

REDUCTIONS = Store("summary_reductions", 600)
"""The same readings are reduced once in ten minutes: a run that is killed or repeated pays once."""
WINDOW_DAYS = 30
NO_ENGINE = "none"
"""Who wrote the fixed sentence where there is nothing to read."""

_NOTHING = {
    "thread": "Nothing was written in this thread yet.",
    "channel": "Nothing was written in this channel yet.",
    "daily_digest": "Nothing was written in your channels that day.",
    "catch_up": "Nothing new since you last read.",
}
NOTHING_SINCE = "Nothing new since then."


class Written(msgspec.Struct, frozen=True):
    """What is written: the question with its stretch of time, and by whom."""

    question: Question
    engine: str


class Writer:
    """Makes summaries; built once by the wiring."""

    def __init__(self, db: Database, gateway: Gateway, settings: Settings) -> None:
        """`gateway` answers for every engine."""
        self._db = db
        self._gateway = gateway
        self._settings = settings

    async def run(self, context: JobContext, asked: Args) -> None:
        """Make the summary of one run and end its job and its run together."""
        tenant, question = context.tenant, whole_day(asked.question)
        await context.progress("gather", 0, 1)
        engine = asked.engine or await self._gateway.engine_for(tenant, None)
        args = Written(question, engine)
        version = edition(self._gateway, engine)
        plan = await look_up(self._db, tenant, question, version)
        if question.reference is not None and not plan.spans:
            raise RowMissing("The conversation was deleted, or you are no longer a member of it.")
        if plan.summary is not None:
            # Another run read the same meanwhile.
            async with self._db.tenant_batch(tenant) as batch:
                context.finish(batch, result_of(plan.summary.id))
            return
        if all(span.is_empty for span in plan.spans):
            await self._finish(context, args, plan, nothing(question), NO_ENGINE)
            return
        gathered = await gather(self._db, tenant, question, plan.spans)
        heard = await self._read(context, args.engine, windows(gathered.messages), gathered)
        content = await self._conclude(context, args, heard, gathered)
        await self._finish(context, args, plan, content, args.engine)

    async def _read(
        self, context: JobContext, engine: str, whole: list[Window], gathered: Gathered
    ) -> list[Heard]:
        version = self._gateway.version(READ_WINDOW, engine)
        keys = [window.key(engine, version) for window in whole]
        known = await self._known(context.tenant, keys)
        unread = [(k, w) for k, w in zip(keys, whole, strict=True) if k not in known]
        done = len(whole) - len(unread)
        waiting = iter(unread)
        errors: list[Exception] = []

        async def lane() -> None:
            nonlocal done
            for key, window in waiting:
                try:
                    await context.progress("read", done, len(whole))
                    known[key] = await self._read_one(context, engine, key, window)
                except Exception as error:
                    errors.append(error)
                # After an error nothing more is begun; what others have paid for is kept.
                if errors:
                    return
                done += 1

        lanes = 1 if engine == LOCAL else self._settings.ai_concurrency
        await asyncio.gather(*(lane() for _ in range(min(lanes, len(unread)))))
        if errors:
            raise errors[0]
        await context.progress("read", len(whole), len(whole))
        heard = [
            Heard(str(w.channel_id), gathered.channels.get(w.channel_id, ""), known[k])
            for k, w in zip(keys, whole, strict=True)
        ]
        return await asyncio.to_thread(without_answered, whole, heard)

    async def _known(self, tenant: Tenant, keys: list[str]) -> dict[str, Reading]:
        async with self._db.tenant_batch(tenant, repeatable=True) as batch:
            found = batch.add(sql.cached_windows, {"keys": keys})
        return {row["key"]: msgspec.convert(row["value"], Reading) for row in found.rows}

    async def _read_one(
        self, context: JobContext, engine: str, key: str, window: Window
    ) -> Reading:
        completed = await self._gateway.complete(
            context.tenant, READ_WINDOW, window, engine=engine, run_id=context.run_id
        )
        async with self._db.tenant_batch(context.tenant) as batch:
            batch.queue(
                sql.cache_window,
                {
                    "key": key,
                    "value": msgspec.json.encode(completed.answer).decode(),
                    "channel_id": window.channel_id,
                    "ttl": f"{WINDOW_DAYS} days",
                },
            )
        return completed.answer

    async def _conclude(
        self, context: JobContext, args: Written, heard: list[Heard], gathered: Gathered
    ) -> Content:
        await context.progress("reduce", 0, 1)
        draft = await self._reduce(context, args, heard)
        await context.progress("verify", 0, 1)
        is_personal = args.question.type in PERSONAL
        content = await asyncio.to_thread(
            conclude,
            draft,
            gathered.messages,
            gathered.channels if is_personal else {},
            is_digest=args.question.type == "daily_digest",
        )
        return msgspec.structs.replace(content, messages_left_out=gathered.left_out)

    async def _reduce(self, context: JobContext, args: Written, heard: list[Heard]) -> Draft:
        if not any(one.reading.findings for one in heard):
            return Draft()
        if len(heard) == 1:  # one window whole is a summary already
            return lines_of(heard[0].reading, args.question.type)
        completed = await self._gateway.complete(
            context.tenant,
            REDUCE,
            Reduction(args.question.type, tuple(heard)),
            engine=args.engine,
            run_id=context.run_id,
            store=REDUCTIONS,
        )
        return completed.answer

    async def _finish(
        self, context: JobContext, args: Written, plan: Plan, content: Content, engine: str
    ) -> None:
        question, summary_id = args.question, uuid7()
        spans = plan.spans
        async with self._db.tenant_transaction(context.tenant) as transaction:
            # Job and run first: the order in which everybody else locks them.
            context.finish(transaction, result_of(summary_id))
            transaction.queue(
                sql.insert_summary,
                {
                    "id": summary_id,
                    "type": question.type,
                    "channel_id": question.channel_id or _channel_of(question, plan),
                    "thread_id": question.thread_id,
                    "user_id": context.tenant.user_id if question.type in PERSONAL else None,
                    "channel_ids": [span.channel_id for span in spans],
                    "local_date": question.local_date,
                    "timezone": question.timezone,
                    "since": question.from_at if question.type != "daily_digest" else None,
                    "content": msgspec.json.encode(content).decode(),
                    "engine": engine,
                    "edition": edition(self._gateway, args.engine),
                    "run_id": context.run_id,
                },
            )
            transaction.queue(sql.cache_answer, {"key": plan.key, "id": summary_id})


def whole_day(question: Question) -> Question:
    """The question; of a digest that was only told its date, with the time that the day has."""
    if question.type != "daily_digest" or question.from_at is not None:
        return question
    request = AskRequest(type="daily_digest", date=question.local_date, timezone=question.timezone)
    return check(request, clock.now())


def nothing(question: Question) -> Content:
    """The fixed sentence where there is nothing to read."""
    if question.type in ("catch_up", "channel") and question.from_at is not None:
        return Content(summary_text=NOTHING_SINCE)
    return Content(summary_text=_NOTHING[question.type])


def _channel_of(question: Question, plan: Plan) -> UUID | None:
    return plan.spans[0].channel_id if question.thread_id is not None else None
