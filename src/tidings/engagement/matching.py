"""The meetings of a company, and what is stored of their readings and texts."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from tidings.ai.engines.local import MeetingReading, Reading, Utterance
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.engagement.record import Record, Summary, SummaryPerson
from tidings.engagement.verify import Place, Source
from tidings.meetings.capture import domain_path
from tidings.meetings.read import at_clock

sql = load_queries("tidings.meetings")


class Matched(msgspec.Struct, frozen=True):
    """A meeting with the company; `read_at` when a reading of its present content is stored."""

    id: UUID
    title: str
    url: str | None
    share_url: str | None
    started_at: datetime
    stored_at: datetime
    duration_seconds: int | None
    language: str
    segments_count: int
    content_hash: bytes
    read_at: datetime | None


class Reader(msgspec.Struct, frozen=True):
    """Who reads: an engine and the version of its prompt."""

    engine: str
    version: str


async def match(
    db: Database, tenant: Tenant, domain: str, reader: Reader, *, subdomains: bool
) -> tuple[list[Matched], list[SummaryPerson]]:
    """The company's meetings, oldest first, and its people by meetings: one round trip."""
    where = {"path": domain_path(domain), "subdomains": subdomains}
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        meetings = batch.add(
            sql.match_meetings,
            where | {"engine": reader.engine, "prompt_version": reader.version},
            row=Matched,
        )
        people = batch.add(sql.company_people, where)
    persons = [
        SummaryPerson(row["name"] or row["email"].partition("@")[0], "", row["count"])
        for row in people.rows
    ]
    return meetings.rows, persons


async def utterances(db: Database, tenant: Tenant, meeting: Matched) -> list[Utterance]:
    """What was said, or what the meeting says of itself when it has no transcript."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        if meeting.segments_count:
            said = batch.add(sql.get_segments, {"id": meeting.id})
        else:
            said = batch.add(sql.get_own_texts, {"meeting_ids": [meeting.id]})
    if meeting.segments_count:
        return [
            Utterance(str(row["id"]), row["speaker"], row["text"], at_clock(row["at_seconds"]))
            for row in said.rows
        ]
    return [
        Utterance("", "", line.strip().lstrip("#*-+> \t").strip(), None)
        for row in said.rows
        for line in own_text(row["own_summary"], row["action_items"]).splitlines()
        if line.strip("#*-+> \t")
    ]


async def save_reading(
    db: Database, tenant: Tenant, meeting: Matched, reader: Reader, reading: Reading
) -> None:
    """Keep a reading, so that this content is never read again by this reader."""
    async with db.tenant_batch(tenant) as batch:
        batch.queue(
            sql.save_findings,
            {
                "meeting_id": meeting.id,
                "engine": reader.engine,
                "prompt_version": reader.version,
                "content_hash": meeting.content_hash,
                "reading": msgspec.json.encode(reading).decode(),
            },
        )


async def load_readings(
    db: Database, tenant: Tenant, meetings: Sequence[Matched], reader: Reader
) -> list[MeetingReading]:
    """The stored readings of meetings: one round trip for all."""
    by_id = {meeting.id: meeting for meeting in meetings}
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(
            sql.get_findings,
            {
                "meeting_ids": list(by_id),
                "engine": reader.engine,
                "prompt_version": reader.version,
            },
        )
    return [
        MeetingReading(
            str(row["meeting_id"]),
            by_id[row["meeting_id"]].started_at,
            by_id[row["meeting_id"]].title,
            msgspec.convert(row["reading"], Reading),
        )
        for row in found.rows
    ]


async def load_sources(
    db: Database, tenant: Tenant, meetings: Sequence[Matched], wanted: Iterable[Place]
) -> dict[Place, Source]:
    """The stored texts that quotes point at: one round trip."""
    by_id = {str(meeting.id): meeting for meeting in meetings}
    segments = [(UUID(m), UUID(s)) for m, s in wanted if s and m in by_id]
    own = [UUID(m) for m, s in wanted if not s and m in by_id]
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        texts = batch.add(
            sql.get_texts,
            {"meeting_ids": [m for m, _ in segments], "segment_ids": [s for _, s in segments]},
        )
        own_texts = batch.add(sql.get_own_texts, {"meeting_ids": own})
    found: dict[Place, Source] = {}
    for row in texts.rows:
        meeting = by_id[str(row["meeting_id"])]
        found[str(row["meeting_id"]), str(row["id"])] = Source(
            row["text"], at_clock(row["at_seconds"]), playback_url(meeting, row["at_seconds"])
        )
    for row in own_texts.rows:
        meeting = by_id[str(row["id"])]
        text = own_text(row["own_summary"], row["action_items"])
        found[str(row["id"]), ""] = Source(text, None, playback_url(meeting, None))
    return found


async def load_speakers(db: Database, tenant: Tenant, record: Record) -> dict[UUID, str]:
    """Who said each segment that a record's evidence points at: one round trip."""
    summary = record.summary or Summary()
    cited = {
        (one.meeting_id, one.segment_id)
        for entries in msgspec.structs.astuple(summary.evidence)
        for evidence in entries
        for one in evidence
        if one.segment_id is not None
    }
    for changes in msgspec.structs.astuple(summary.changes):
        cited |= {
            (one.meeting_id, one.segment_id)
            for change in changes
            for one in change.evidence
            if one.segment_id is not None
        }
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(
            sql.get_texts,
            {"meeting_ids": [m for m, _ in cited], "segment_ids": [s for _, s in cited]},
        )
    return {row["id"]: row["speaker"] for row in found.rows}


def playback_url(meeting: Matched, at_seconds: int | None) -> str | None:
    """The recording's address, opened at a time when it is known; None when it has none."""
    address = meeting.share_url or meeting.url
    if address is None or at_seconds is None:
        return address
    return f"{address}{'&' if '?' in address else '?'}timestamp={at_seconds}"


def own_text(own_summary: str, action_items: list[dict[str, object]]) -> str:
    """What a meeting says of itself: its own summary and its action items, a line each."""
    return "\n".join([own_summary, *(str(item["description"]) for item in action_items)])
