"""The run: sync, match, read, reduce, verify; then record, job and event in one transaction.

A kill at any point leaves readings that are stored already and a record that still says
`processing`; the job's next attempt reads only what is missing. See engagement.md, "The run".
"""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from tidings.ai.engine_name import LOCAL
from tidings.ai.engines.local import Draft, MeetingReading
from tidings.ai.gateway import Gateway
from tidings.ai.ledger import run_token_uses
from tidings.ai.responses import Store
from tidings.base import clock
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.engagement.changes import Decision, compare
from tidings.engagement.matching import (
    Matched,
    Reader,
    load_readings,
    load_sources,
    match,
    save_reading,
    utterances,
)
from tidings.engagement.reading import READ_MEETING, merge, windows
from tidings.engagement.record import (
    Progress,
    Record,
    Summary,
    SummaryEvidence,
    SummaryPerson,
)
from tidings.engagement.reducing import REDUCE_MEETINGS
from tidings.engagement.start import Args
from tidings.engagement.verify import Verified, count_quotes, places, standing, verify
from tidings.queue.runs import get_run
from tidings.queue.worker import JobContext

sql = load_queries("tidings.engagement")

Sync = Callable[[Tenant, str, bool | None], Awaitable[None]]
"""Fetches a domain's meetings: tenant, domain, and whether it was asked for (`Args.sync`)."""

REDUCTIONS = Store("engagement_reductions", 600)
"""The same readings are reduced once in ten minutes: a run that is killed or repeated pays once."""

SHOWN_EVIDENCE = 6
"""Quotes kept for one line: enough to check it, few enough to read."""


class Summarizer:
    """Makes engagement summaries; built once by the wiring."""

    def __init__(self, db: Database, gateway: Gateway, settings: Settings, sync: Sync) -> None:
        """`sync` is meetings' door to Fathom."""
        self._db = db
        self._gateway = gateway
        self._settings = settings
        self._sync = sync

    async def run(self, context: JobContext, args: Args) -> None:
        """Make the summary of one run and end its record, its job and its run together."""
        tenant, run_id = context.tenant, context.run_id
        assert run_id is not None
        await context.progress("sync", 0, 1)
        engine = await self._gateway.engine_for(tenant, args.engine)
        await self._sync(tenant, args.domain, args.sync)
        await context.progress("match", 0, 1)
        reader = Reader(engine, self._gateway.version(READ_MEETING, engine))
        meetings, people = await match(
            self._db, tenant, args.domain, reader, subdomains=args.include_subdomains
        )
        await self._read(context, meetings, reader)
        summary, checked = await self._conclude(context, args, meetings, people, reader)
        # Of the whole run: an earlier try of it may have read and paid before it was interrupted.
        began = (await get_run(self._db, tenant, run_id)).created_at
        fresh = [each for each in meetings if each.read_at is None or each.read_at >= began]
        await self._finish(
            context,
            args.domain,
            run_id,
            {
                "summary": summary,
                "engine": engine,
                "cost": f"{await self._cost(context, reader):.6f}",
                "meetings_read": len(fresh),
                "quotes_checked": checked,
            },
        )

    async def _read(self, context: JobContext, meetings: list[Matched], reader: Reader) -> None:
        unread = [meeting for meeting in meetings if meeting.read_at is None]
        done = len(meetings) - len(unread)
        waiting = iter(unread)

        errors: list[Exception] = []

        async def lane() -> None:
            nonlocal done
            for meeting in waiting:
                try:
                    await context.progress("read", done, len(meetings))
                    await self._read_one(context, meeting, reader)
                except Exception as error:
                    errors.append(error)
                # After an error nothing more is begun; what others have paid for is kept.
                if errors:
                    return
                done += 1

        # A provider is waited for, so several meetings at once; the local engine is work of ours.
        lanes = 1 if reader.engine == LOCAL else self._settings.ai_concurrency
        await asyncio.gather(*(lane() for _ in range(min(lanes, len(unread)))))
        if errors:
            raise errors[0]
        await context.progress("read", len(meetings), len(meetings))

    async def _read_one(self, context: JobContext, meeting: Matched, reader: Reader) -> None:
        said = await utterances(self._db, context.tenant, meeting)
        readings = []
        for window in windows(said, meeting.language, reader.engine):
            context.raise_if_cancelled()
            completed = await self._gateway.complete(
                context.tenant, READ_MEETING, window, engine=reader.engine, run_id=context.run_id
            )
            readings.append(completed.answer)
        reading = merge(readings, meeting.language)
        await save_reading(self._db, context.tenant, meeting, reader, reading)

    async def _conclude(
        self,
        context: JobContext,
        args: Args,
        meetings: list[Matched],
        people: list[SummaryPerson],
        reader: Reader,
    ) -> tuple[Summary, int]:
        if not meetings:
            return Summary(), 0
        await context.progress("reduce", 0, 1)
        readings = await load_readings(self._db, context.tenant, meetings, reader)
        draft = await self._reduce(context, readings, reader)
        await context.progress("verify", 0, count_quotes(draft))
        context.raise_if_cancelled()
        sources = await load_sources(self._db, context.tenant, meetings, places(draft))
        verified = verify(draft, sources)
        summary = _summary(verified, meetings, people, readings)
        previous = await self._previous(context, args.domain)
        decisions = [
            Decision(item.text, found)
            for item in draft.decisions
            if (found := standing(item.evidence, sources))
        ]
        changes = compare(previous, summary, decisions)
        return msgspec.structs.replace(summary, changes=changes), verified.quotes_checked

    async def _reduce(
        self, context: JobContext, readings: list[MeetingReading], reader: Reader
    ) -> Draft:
        if not any(meeting.reading.findings or meeting.reading.phrases for meeting in readings):
            return Draft()
        completed = await self._gateway.complete(
            context.tenant,
            REDUCE_MEETINGS,
            readings,
            engine=reader.engine,
            run_id=context.run_id,
            store=REDUCTIONS,
        )
        return completed.answer

    async def _cost(self, context: JobContext, reader: Reader) -> Decimal:
        if reader.engine == LOCAL or context.run_id is None:
            return Decimal(0)
        uses = await run_token_uses(self._db, context.tenant, context.run_id)
        return sum((use.cost for use in uses), Decimal(0))

    async def _previous(self, context: JobContext, domain: str) -> Summary | None:
        async with self._db.tenant_batch(context.tenant, repeatable=True) as batch:
            found = batch.add(sql.latest_complete, {"domain": domain, "before": context.run_id})
        row = found.optional()
        return msgspec.convert(row["record"], Record).summary if row else None

    async def _finish(
        self, context: JobContext, domain: str, run_id: UUID, outcome: dict[str, Any]
    ) -> None:
        now = clock.now()
        change = outcome | {
            "status": "complete",
            "error": None,
            "updated_at": now,
            "completed_at": now,
            "progress": Progress("done", 1, 1),
        }
        async with self._db.tenant_transaction(context.tenant) as transaction:
            # Job, run, record: the order in which everybody else locks them.
            url = f"/v1/companies/{domain}/summaries/{run_id}"
            result = {"domain": domain, "run_id": str(run_id), "url": url}
            context.finish(transaction, result)
            transaction.queue(
                sql.complete,
                {
                    "domain": domain,
                    "run_id": run_id,
                    "change": msgspec.json.encode(change).decode(),
                    "retention": self._settings.engagement_retention,
                },
            )


def _summary(
    verified: Verified,
    meetings: list[Matched],
    people: list[SummaryPerson],
    readings: list[MeetingReading],
) -> Summary:
    lists = {
        name: [found[:SHOWN_EVIDENCE] for found in getattr(verified.evidence, name)]
        for name in verified.evidence.__struct_fields__
    }
    return Summary(
        meetings_count=len(meetings),
        people=people,
        themes=verified.themes,
        goals=verified.goals,
        challenges=verified.challenges,
        risks=verified.risks,
        recommendations=verified.recommendations,
        meetings_analyzed=sum(meeting.reading.supported for meeting in readings),
        first_meeting_at=meetings[0].started_at,
        last_meeting_at=meetings[-1].started_at,
        overview=" ".join(verified.overview),
        overview_sentences=verified.overview,
        evidence=SummaryEvidence(**lists),
        unverified=verified.unverified,
    )
