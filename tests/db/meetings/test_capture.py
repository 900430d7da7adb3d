"""Taking meetings in: created, updated or left alone, whatever comes at once."""

import asyncio
from typing import Any

import psycopg
import pytest

from tidings.base.cursor import Page
from tidings.base.errors import CursorInvalid, RoleForbidden, RowMissing
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.meetings.capture import Captured, Source, capture, decode_items
from tidings.meetings.read import (
    Meeting,
    Stored,
    add_stored,
    delete_meeting,
    get_meeting,
    list_meetings,
)

from factories.meetings import SAID, meeting, utterances
from factories.organizations import Organization

sql = load_queries("tidings.meetings")

ALL = Page(200, None)


async def take(
    db: Database, tenant: Tenant, *raw: dict[str, Any], source: Source = "api"
) -> Captured:
    items, errors = decode_items(raw)
    assert errors == []
    return await capture(db, tenant, source, items)


async def only(db: Database, tenant: Tenant) -> Meeting:
    (row,) = (await list_meetings(db, tenant, ALL)).items
    return await get_meeting(db, tenant, row.id)


async def count(db: Database, tenant: Tenant) -> Stored:
    async with db.tenant_batch(tenant) as batch:
        found = add_stored(batch)
    return found.one()


async def test_two_hundred_at_once_and_again(db: Database, organization: Organization) -> None:
    raw = [meeting(n) for n in range(200)]
    assert await take(db, organization.tenant, *raw) == Captured(created=200)
    assert await take(db, organization.tenant, *raw) == Captured(unchanged=200)
    stored = await count(db, organization.tenant)
    assert (stored.meetings, stored.segments) == (200, 200 * len(SAID))
    assert (stored.people, stored.companies) == (2, 1)


async def test_more_than_one_transaction_takes(db: Database, organization: Organization) -> None:
    raw = [meeting(n, said=SAID[:1]) for n in range(401)]
    assert await take(db, organization.tenant, *raw) == Captured(created=401)


async def test_the_last_of_a_repeated_id_counts(db: Database, organization: Organization) -> None:
    raw = [meeting(1, title="First"), meeting(1, title="Second")]
    assert await take(db, organization.tenant, *raw) == Captured(created=1)
    assert (await only(db, organization.tenant)).title == "Second"


async def test_nothing_is_nothing(db: Database, organization: Organization) -> None:
    assert await take(db, organization.tenant) == Captured()


async def test_the_same_ids_at_once_are_stored_once(
    db: Database, organization: Organization
) -> None:
    raw = [meeting(n, said=SAID[:2]) for n in range(20)]
    orders = [raw, raw[::-1], raw[10:] + raw[:10], raw[::2] + raw[1::2]]
    taken = await asyncio.gather(*(take(db, organization.tenant, *order) for order in orders))
    assert sum(each.created for each in taken) == 20
    assert sum(each.unchanged for each in taken) == 60
    assert (await count(db, organization.tenant)).segments == 40


async def test_utterances_that_stay_keep_their_ids(
    db: Database, organization: Organization
) -> None:
    tenant = organization.tenant
    await take(db, tenant, meeting(1, said=utterances("One.", "Two.", "Three.", "Two.")))
    before = await only(db, tenant)
    raw = meeting(1, said=utterances("One.", "Two.", "Three.", "Two."))
    kept = raw["transcript"]
    raw["transcript"] = [kept[3], {**kept[0], "text": "New."}, kept[1], kept[2]]
    assert await take(db, tenant, raw) == Captured(updated=1)
    after = await only(db, tenant)
    assert after.id == before.id
    assert [s.text for s in after.segments] == ["Two.", "New.", "Two.", "Three."]
    ids = [s.id for s in before.segments]
    assert [after.segments[n].id for n in (0, 2, 3)] == [ids[3], ids[1], ids[2]]
    assert after.segments[1].id not in ids
    assert after.created_at == before.created_at
    assert after.updated_at > before.updated_at


async def test_the_same_words_twice_are_two_utterances(
    db: Database, organization: Organization
) -> None:
    same = {"speaker": {"display_name": "Bo"}, "text": "Yes.", "timestamp": "00:00:01"}
    await take(db, organization.tenant, meeting(1) | {"transcript": [same, same]})
    before = await only(db, organization.tenant)
    assert len({s.id for s in before.segments}) == 2
    await take(db, organization.tenant, meeting(1) | {"transcript": [same, same, same]})
    after = await only(db, organization.tenant)
    assert [s.id for s in after.segments][:2] == [s.id for s in before.segments]


async def test_an_update_replaces_invitees_and_transcript(
    db: Database, organization: Organization
) -> None:
    tenant = organization.tenant
    await take(db, tenant, meeting(1, people=("Bo Berg", "Cem Can")))
    raw = meeting(1, said=(("Bo", "Hello again."),), people=("Dora Dorn",))
    assert await take(db, tenant, raw) == Captured(updated=1)
    found = await only(db, tenant)
    assert [i.name for i in found.invitees] == ["Ana Adler", "Dora Dorn"]
    assert [s.text for s in found.segments] == ["Hello again."]
    assert found.segments_count == 1


async def test_a_delivery_without_a_transcript_keeps_the_one_that_came_before(
    db: Database, organization: Organization
) -> None:
    tenant = organization.tenant
    await take(db, tenant, meeting(1))
    before = await only(db, tenant)
    bare = meeting(1, said=()) | {
        "title": "Renamed",
        "meeting_title": None,
        "default_summary": None,
    }
    assert await take(db, tenant, bare) == Captured(updated=1)
    after = await only(db, tenant)
    assert (after.title, after.segments) == ("Renamed", before.segments)
    assert after.own_summary == before.own_summary
    assert await take(db, tenant, bare) == Captured(unchanged=1)


async def test_a_corrected_link_is_stored(db: Database, organization: Organization) -> None:
    tenant = organization.tenant
    await take(db, tenant, meeting(1))
    moved = meeting(1) | {"share_url": "https://share.example/moved"}
    assert await take(db, tenant, moved) == Captured(updated=1)
    assert (await only(db, tenant)).share_url == "https://share.example/moved"


async def test_times_that_cannot_be_are_not_a_duration(
    db: Database, organization: Organization
) -> None:
    raw = meeting(1) | {
        "recording_start_time": "1900-01-01T00:00:00Z",
        "recording_end_time": "2026-01-01T00:00:00Z",
        "scheduled_start_time": "2026-01-01T10:00:00Z",
        "scheduled_end_time": "2026-01-01T10:30:00Z",
    }
    assert await take(db, organization.tenant, raw) == Captured(created=1)
    assert (await only(db, organization.tenant)).duration_seconds == 1800


async def test_sources_do_not_mix(db: Database, organization: Organization) -> None:
    for source in ("api", "fathom", "file"):
        taken = await take(db, organization.tenant, meeting(1), source=source)
        assert taken == Captured(created=1)
    rows = (await list_meetings(db, organization.tenant, ALL)).items
    assert {row.source for row in rows} == {"api", "fathom", "file"}


async def test_organizations_do_not_mix(
    db: Database, organization: Organization, other_organization: Organization
) -> None:
    await take(db, organization.tenant, meeting(1, title="Ours"))
    assert await take(db, other_organization.tenant, meeting(1, title="Theirs")) == Captured(
        created=1
    )
    ours = await only(db, organization.tenant)
    assert ours.title == "Ours"
    with pytest.raises(RowMissing):
        await get_meeting(db, other_organization.tenant, ours.id)
    with pytest.raises(RowMissing):
        await delete_meeting(db, other_organization.tenant, ours.id)
    found = await list_meetings(db, other_organization.tenant, ALL, query="reporting")
    assert [row.title for row in found.items] == ["Theirs"]


async def test_viewers_take_nothing_in_and_delete_nothing(
    db: Database, organization: Organization
) -> None:
    await take(db, organization.tenant, meeting(1))
    viewer = organization.acting("viewer")
    with pytest.raises(RoleForbidden):
        await take(db, viewer, meeting(2))
    found = await only(db, viewer)
    with pytest.raises((RoleForbidden, RowMissing)):
        await delete_meeting(db, viewer, found.id)
    assert (await only(db, viewer)).id == found.id


async def test_a_deleted_meeting_takes_everything_with_it(
    db: Database, organization: Organization, superuser_url: str
) -> None:
    await take(db, organization.tenant, meeting(1))
    found = await only(db, organization.tenant)
    reading = {
        "meeting_id": found.id, "engine": "local", "prompt_version": "1", "content_hash": b"x",
        "reading": "{}",
    }  # fmt: skip
    async with db.tenant_batch(organization.tenant) as batch:
        batch.queue(sql.save_findings, reading)
    assert all(await filled(superuser_url))
    await delete_meeting(db, organization.tenant, found.id)
    with pytest.raises(RowMissing):
        await delete_meeting(db, organization.tenant, found.id)
    assert not any(await filled(superuser_url))


async def filled(superuser_url: str) -> list[bool]:
    """Which of a meeting's tables hold anything."""
    tables = ("meetings", "meeting_invitees", "meeting_segments", "meeting_findings")
    async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
        cursors = [
            await connection.execute(f"SELECT 1 FROM tidings.{table}".encode()) for table in tables
        ]
        return [bool(await cursor.fetchall()) for cursor in cursors]


async def test_bad_items_are_named_by_their_place() -> None:
    raw: list[object] = [meeting(1), None, meeting(2) | {"title": 7}, {}, meeting(3)]
    items, errors = decode_items(raw)
    assert [item.external_id for item in items] == ["1", "3"]
    assert [error.index for error in errors] == [1, 2, 3]
    assert all(error.detail for error in errors)


async def test_times_and_links(db: Database, organization: Organization) -> None:
    raw = meeting(1, recorded_by={"email": "ana@ours.example"})
    for name in ("recording_start_time", "recording_end_time"):
        raw[name] = None
    raw["scheduled_start_time"] = "2026-05-06T07:00:00+02:00"
    await take(db, organization.tenant, raw)
    found = await only(db, organization.tenant)
    assert found.started_at.isoformat() == "2026-05-06T05:00:00+00:00"
    assert found.duration_seconds == 5 * 60 + 5
    assert found.recorded_by == "ana@ours.example"
    assert found.segments[1].at == "00:01:05"


async def test_meetings_page_by_page(db: Database, organization: Organization) -> None:
    tenant = organization.tenant
    await take(db, tenant, *(meeting(n, said=()) for n in range(7)))
    titles: list[str] = []
    cursor = None
    while True:
        page = await list_meetings(db, tenant, Page(3, cursor), domain="acme.example")
        titles += [row.title for row in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert titles == [f"Call {n} with acme.example" for n in range(6, -1, -1)]
    with pytest.raises(CursorInvalid):
        await list_meetings(db, tenant, Page(3, "forged"))


async def test_a_search_finds_words_and_marks_them(
    db: Database, organization: Organization
) -> None:
    tenant = organization.tenant
    await take(
        db,
        tenant,
        meeting(1, said=utterances("Nothing here.", "The migrations slipped again.")),
        meeting(2, "other.example", said=utterances("A migration of birds.")),
        meeting(3, said=utterances("Silence.")),
    )
    found = await list_meetings(db, tenant, ALL, query="migration")
    assert {row.external_id for row in found.items} == {"1", "2"}
    assert found.next_cursor is None
    (here,) = (await list_meetings(db, tenant, ALL, query="migration", domain="acme.example")).items
    (snippet,) = here.snippets
    assert (snippet.speaker, snippet.at) == ("Bo", "00:01:05")
    assert [text for text, is_hit in snippet.parts if is_hit] == ["migrations"]
    assert "".join(text for text, _ in snippet.parts) in "The migrations slipped again."
    for nothing in ("the", "-migration", '"', "' OR 1=1", "birds silence", "&|!()"):
        await list_meetings(db, tenant, ALL, query=nothing)
    assert (await list_meetings(db, tenant, ALL, query="birds silence")).items == []


async def test_a_search_shows_at_most_three_places_of_a_meeting(
    db: Database, organization: Organization
) -> None:
    said = utterances(*(f"Export number {n}." for n in range(9)))
    await take(db, organization.tenant, meeting(1, said=said))
    (row,) = (await list_meetings(db, organization.tenant, ALL, query="export")).items
    assert len(row.snippets) == 3
