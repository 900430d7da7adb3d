"""Taking meetings in: each is created, updated or left alone by (source, external id)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from tidings.base.errors import TidingsError
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database, Transaction
from tidings.meetings.item import MeetingItem, content_hash, decode_item, item_hash

sql = load_queries("tidings.meetings")

Source = Literal["fathom", "api", "file"]

MOST_ITEMS = 200
LONGEST = timedelta(days=7)
"""A longer span between two times of a meeting is a mistake of its source."""
LANGUAGE = "english"  # the search configuration of segments; the engines state their languages


class CaptureError(msgspec.Struct, frozen=True):
    """An item that was not taken in; `index` is its 0-based place in the request."""

    index: int
    code: str
    detail: str


class Captured(msgspec.Struct, frozen=True):
    """What became of the items."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: list[CaptureError] = []

    def __add__(self, other: "Captured") -> "Captured":
        return Captured(
            self.created + other.created,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            [*self.errors, *other.errors],
        )


def decode_items(raw: Sequence[object]) -> tuple[list[MeetingItem], list[CaptureError]]:
    """The items that are meetings, and an error for each that is not."""
    items: list[MeetingItem] = []
    errors: list[CaptureError] = []
    for index, one in enumerate(raw):
        try:
            items.append(decode_item(one))
        except TidingsError as error:
            errors.append(CaptureError(index, error.code, error.message))
    return items, errors


async def capture(
    db: Database, tenant: Tenant, source: Source, items: Sequence[MeetingItem]
) -> Captured:
    """Store meetings, `MOST_ITEMS` in a transaction; a repeat changes nothing.

    Raises `RoleForbidden` when the tenant may not write.
    """
    total = Captured()
    for start in range(0, len(items), MOST_ITEMS):
        async with db.tenant_transaction(tenant) as transaction:
            total += await capture_in(transaction, source, items[start : start + MOST_ITEMS])
    return total


async def capture_in(
    transaction: Transaction, source: Source, items: Iterable[MeetingItem]
) -> Captured:
    """As `capture`, in the caller's transaction; one round trip more when a stored one changed."""
    newest = {item.external_id: item for item in items}  # the last of a repeated id wins
    transaction.queue(sql.lock_meetings)
    known = {
        row["external_id"]: row
        for row in await transaction.fetch(
            sql.known_meetings, {"source": source, "external_ids": list(newest)}
        )
    }
    changes: list[_Change] = []
    unchanged = 0
    for external_id, item in newest.items():
        digest = item_hash(item, dated=source != "file")
        stored = known.get(external_id)
        if stored is None:
            changes.append(_Change(uuid7(), item, digest))
        elif bytes(stored["item_hash"]) != digest:
            changes.append(_Change(stored["id"], item, digest, stored["domains"]))
        else:
            unchanged += 1
    if changes:
        await _write(transaction, source, changes)
    created = len([change for change in changes if change.domains is None])
    return Captured(created, len(changes) - created, unchanged)


class _Change(msgspec.Struct, frozen=True):
    id: UUID
    item: MeetingItem
    digest: bytes
    domains: list[str] | None = None
    """Whom the stored meeting was with; None for a new one."""


async def _write(transaction: Transaction, source: Source, changes: list[_Change]) -> None:
    updated = [change.id for change in changes if change.domains is not None]
    kept: dict[UUID, _Segments] = defaultdict(lambda: defaultdict(list))
    if updated:
        for row in await transaction.fetch(sql.known_segments, {"meeting_ids": updated}):
            key = (row["speaker"], row["at_seconds"], row["text"])
            kept[row["meeting_id"]][key].append(row["id"])
    segments = [row for change in changes for row in _segment_rows(change, kept[change.id])]
    transaction.queue(
        sql.upsert_meetings, {"rows": _json([_meeting_row(source, change) for change in changes])}
    )
    if updated:
        transaction.queue(sql.delete_invitees, {"meeting_ids": updated})
        # A delivery without a transcript does not take back the one that came before.
        retold = [change.id for change in changes if change.item.transcript]
        transaction.queue(
            sql.delete_segments,
            {"meeting_ids": retold, "kept": [row["ids"] for row in segments]},
        )
    invitees = [row for change in changes for row in _invitee_rows(change)]
    transaction.queue(sql.insert_invitees, {"rows": _json(invitees)})
    if segments:
        columns = {name: [row[name] for row in segments] for name in segments[0]}
        transaction.queue(sql.upsert_segments, columns)
    domains = [
        (row["email_domain"], started_at(change.item))
        for change in changes
        for row in _invitee_rows(change)
        if row["email_domain"] and row["is_external"] is not False
    ]
    if domains:
        transaction.queue(
            sql.upsert_companies,
            {"domains": [d for d, _ in domains], "ats": [at for _, at in domains]},
        )
    before = {domain for change in changes for domain in change.domains or ()}
    if before:
        transaction.queue(sql.settle_companies, {"domains": sorted(before)})


_Segments = dict[tuple[str, int | None, str], list[UUID]]


def _segment_rows(change: _Change, kept: _Segments) -> Iterable[dict[str, Any]]:
    for position, said in enumerate(change.item.transcript):
        assert said.text is not None
        same = kept.get((said.speaker_name, said.at, said.text))
        yield {
            "meeting_ids": change.id,
            "ids": same.pop(0) if same else uuid7(),
            "positions": position,
            "speakers": said.speaker_name,
            "speaker_emails": said.speaker_email,
            "ats": said.at,
            "texts": said.text,
            "languages": LANGUAGE,
        }


def _meeting_row(source: Source, change: _Change) -> dict[str, Any]:
    item = change.item
    return {
        "id": change.id,
        "source": source,
        "external_id": item.external_id,
        "title": item.meeting_title or item.title,
        "url": item.url,
        "share_url": item.share_url,
        "language": "en",
        "started_at": started_at(item),
        "duration_seconds": duration(item),
        "recorded_by": item.recorded_by and (item.recorded_by.name or item.recorded_by.email),
        "own_summary": item.summary_markdown,
        "action_items": [
            {
                "description": action.description,
                "completed": bool(action.completed),
                "at": action.at,
                "url": action.recording_playback_url,
                "assignee": action.assignee and (action.assignee.name or action.assignee.email),
            }
            for action in item.action_items
        ],
        "segments_count": len(item.transcript),
        "content_hash": content_hash(item).hex(),
        "item_hash": change.digest.hex(),
    }


def _invitee_rows(change: _Change) -> list[dict[str, Any]]:
    return [
        {
            "meeting_id": change.id,
            "position": position,
            "name": (invitee.name or invitee.matched_speaker_display_name or "").strip(),
            "email": invitee.email,
            "email_domain": invitee.email_domain,
            "domain_path": domain_path(invitee.email_domain) if invitee.email_domain else None,
            "is_external": invitee.is_external,
            "speaker_name": invitee.matched_speaker_display_name,
        }
        for position, invitee in enumerate(change.item.calendar_invitees)
    ]


def started_at(item: MeetingItem) -> datetime:
    """When the meeting took place: recorded, else scheduled, else created."""
    return item.recording_start_time or item.scheduled_start_time or item.created_at


def duration(item: MeetingItem) -> int | None:
    """How long it took in seconds: by the recording, else the calendar, else the last utterance."""
    for start, end in (
        (item.recording_start_time, item.recording_end_time),
        (item.scheduled_start_time, item.scheduled_end_time),
    ):
        if start and end and timedelta(0) <= end - start <= LONGEST:
            return int((end - start).total_seconds())
    return max((said.at for said in item.transcript if said.at is not None), default=None)


def domain_path(domain: str) -> str:
    """The labels of a domain from the right, as `tidings.domain_path` in SQL."""
    return ".".join(reversed(domain.split(".")))


def _json(rows: list[dict[str, Any]]) -> str:
    return msgspec.json.encode(rows).decode()
