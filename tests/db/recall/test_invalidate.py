"""A committed change is forgotten in every process; when in doubt, everything is."""

import asyncio
from datetime import timedelta

import psycopg
import pytest

from tidings.base.cursor import Page
from tidings.base.errors import DatabaseUnavailable, RowMissing
from tidings.db.queries import Query
from tidings.meetings.capture import capture, decode_items
from tidings.meetings.read import delete_meeting, list_meetings
from tidings.meetings.recalled import recall_domains, recall_meeting
from tidings.realtime.outbox import publish, sweep_outbox
from tidings.realtime.relay import Relay
from tidings.recall import invalidate
from tidings.recall.cache import MISSING

from factories.later import later_databases
from factories.meetings import meeting

RENAME = Query(
    "rename",
    "Renames all meetings.",
    "UPDATE tidings.meetings SET title = %(title)s "
    "WHERE organization_id = tidings.current_organization()",
)

TITLES = Query("titles", "Reads titles.", "SELECT title FROM tidings.meetings")


async def answer():
    return "value"


async def take(db, tenant, *raw):
    items, errors = decode_items(raw)
    assert errors == []
    await capture(db, tenant, "api", items)


async def one_meeting(db, tenant):
    await take(db, tenant, meeting(1))
    (row,) = (await list_meetings(db, tenant, Page(10))).items
    return row.id


async def rename(db, tenant, title):
    async with db.tenant_transaction(tenant) as transaction:
        await transaction.execute(RENAME, {"title": title})


async def test_a_change_in_one_process_is_forgotten_in_every_process(
    db, organization, processes, relay
):
    tenant = organization.tenant
    meeting_id = await one_meeting(db, tenant)
    houses = [await processes(), await processes()]
    for house in houses:
        async with asyncio.timeout(20):
            while not house.recall.stats().hits:  # the news that it was made may still come
                await recall_meeting(db, house.recall, tenant, meeting_id)
    for turn in range(5):
        await rename(db, tenant, f"Title {turn}")
        relay.nudge()
        for house in houses:
            await house.recall.until_gone(tenant, f"meeting:{meeting_id}")
            found = await recall_meeting(db, house.recall, tenant, meeting_id)
            assert found.title == f"Title {turn}"


async def test_what_was_absent_and_what_is_deleted(db, organization, processes, relay):
    tenant = organization.tenant
    house = await processes()
    assert await recall_domains(db, house.recall, tenant) == ()
    meeting_id = await one_meeting(db, tenant)
    relay.nudge()
    await house.recall.until_gone(tenant, "companies")
    assert await recall_domains(db, house.recall, tenant) == ("acme.example",)
    found = await recall_meeting(db, house.recall, tenant, meeting_id)
    assert found.id == meeting_id
    await delete_meeting(db, tenant, meeting_id)
    relay.nudge()
    key = f"meeting:{meeting_id}"
    await house.recall.until_gone(tenant, key)
    for _ in range(2):
        with pytest.raises(RowMissing):
            await recall_meeting(db, house.recall, tenant, meeting_id)
    assert house.recall.peek(tenant, key) is None


async def test_nobody_elses_entry_is_dropped(db, organization, other_organization, processes):
    ids = {one: await one_meeting(db, one.tenant) for one in (organization, other_organization)}
    await Relay(db).turn()  # what was said while they were made
    house = await processes()
    for one in (organization, other_organization):
        await recall_meeting(db, house.recall, one.tenant, ids[one])
    await rename(db, other_organization.tenant, "Theirs")
    await Relay(db).turn(hinted=True)
    await house.recall.until(lambda: len(house.recall.dropped_tags) > 0)
    key = f"meeting:{ids[organization]}"
    assert house.recall.peek(organization.tenant, key) is not MISSING
    assert house.recall.dropped_tags == [
        (other_organization.organization_id, [f"meeting:{ids[other_organization]}"])
    ]


async def test_a_load_that_began_before_the_change_is_not_kept(db, organization, processes):
    tenant = organization.tenant
    meeting_id = await one_meeting(db, tenant)
    await Relay(db).turn()  # the news that it was made
    house = await processes()
    tag = f"meeting:{meeting_id}"
    has_read, may_answer = asyncio.Event(), asyncio.Event()

    async def slow():
        async with db.tenant_transaction(tenant) as transaction:
            read = await transaction.fetch(TITLES)
            has_read.set()
            await may_answer.wait()
        return read[0]["title"]

    async def quick():
        async with db.tenant_transaction(tenant) as transaction:
            return (await transaction.fetch(TITLES))[0]["title"]

    asked = asyncio.create_task(house.recall.get(tenant, "title", slow, tags=[tag]))
    await has_read.wait()
    await rename(db, tenant, "New")
    await Relay(db).turn(hinted=True)
    await house.recall.until(
        lambda: (organization.organization_id, [tag]) in house.recall.dropped_tags
    )
    assert await house.recall.get(tenant, "title", quick, tags=[tag]) == "New"
    may_answer.set()
    assert await asked == "Call 1 with acme.example"
    assert house.recall.peek(tenant, "title") == "New"
    assert house.recall.stats().stale_prevented == 1


async def test_a_lost_listener_forgets_everything_and_remembers_nothing_until_it_is_back(
    db, organization, processes, superuser_url
):
    tenant = organization.tenant
    meeting_id = await one_meeting(db, tenant)
    house = await processes()
    await recall_meeting(db, house.recall, tenant, meeting_id)
    assert house.recall.stats().size == 1
    house.recall.turned.clear()
    async with await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as admin:
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'tidings-listen' AND datname = current_database()"
        )
    await house.recall.until(lambda: "off" in house.recall.turned)
    assert house.recall.peek(tenant, f"meeting:{meeting_id}") is MISSING
    # Nobody would hear of this change: no relay runs, and the connection that listens is gone.
    await rename(db, tenant, "While away")
    found = await recall_meeting(db, house.recall, tenant, meeting_id)
    assert found.title == "While away"
    await house.recall.until(lambda: house.recall.turned[-1] == "on")
    assert (await recall_meeting(db, house.recall, tenant, meeting_id)).title == "While away"


async def test_the_relays_changes_of_one_turn_come_page_by_page(
    db, organization, processes, database_url
):
    relay = Relay(db)
    before = (await relay.turn()).published  # the organization's own beginning
    house = await processes(page=3)
    async with db.tenant_batch(organization.tenant) as batch:
        for n in range(10):
            publish(batch, "recall", "drop", [f"meeting:{n}"])
            publish(batch, "run:1", "progress", {"n": n})
    await relay.turn()
    await house.recall.until(lambda: len(house.recall.dropped_tags) == 10)
    assert [tags for _, tags in house.recall.dropped_tags] == [[f"meeting:{n}"] for n in range(10)]
    assert house.changes._position == before + 20


async def test_it_looks_now_and_then_without_a_hint(db, organization, processes):
    house = await processes(poll=0.05)
    house.listener._channels["tidings_events"] = lambda _: None  # hints get lost on the way
    async with db.tenant_batch(organization.tenant) as batch:
        publish(batch, "recall", "drop", ["meeting:1"])
    await Relay(db).turn()
    await house.recall.until(lambda: len(house.recall.dropped_tags) == 1)


async def test_changes_that_were_swept_unseen_forget_everything(
    db, organization, processes, settings, database_url
):
    relay = Relay(db)
    published = (await relay.turn()).published
    house = await processes()
    house.listener._channels["tidings_events"] = lambda _: None
    await house.recall.get(organization.tenant, "k", answer, tags=["thing:1"])
    async with db.tenant_batch(organization.tenant) as batch:
        publish(batch, "recall", "drop", ["thing:1"])
    published += (await relay.turn()).published
    async with later_databases(settings, database_url) as later:
        assert await sweep_outbox(await later(timedelta(hours=25))) == published
    house.changes.wake("1")
    await house.recall.until(lambda: house.recall.stats().size == 0)
    await house.recall.until(lambda: house.recall.stats().is_on)


async def test_a_database_that_does_not_answer_turns_it_off(db, organization, processes):
    house = await processes()
    await house.recall.get(organization.tenant, "k", answer, tags=["thing:1"])
    look, failed = house.changes._look, asyncio.Event()

    async def fail():
        if not failed.is_set():
            failed.set()
            raise DatabaseUnavailable
        await look()

    house.changes._look = fail
    house.changes.wake("1")
    await house.recall.until(lambda: failed.is_set() and not house.recall.stats().is_on)
    assert house.recall.stats().size == 0
    house.changes.wake("2")
    await house.recall.until(lambda: house.recall.stats().is_on)


async def test_a_look_that_takes_too_long_is_not_waited_for(
    db, organization, processes, monkeypatch
):
    house = await processes()
    await house.recall.get(organization.tenant, "k", answer, tags=["thing:1"])
    look, may_look = house.changes._look, asyncio.Event()

    async def slow():
        house.changes._look = look
        await may_look.wait()
        await look()

    house.changes._look = slow
    with monkeypatch.context() as hasty:
        hasty.setattr(invalidate, "_LATE", 0.05)
        house.changes.wake("1")
        await house.recall.until(lambda: not house.recall.stats().is_on)
    assert house.recall.stats().size == 0
    may_look.set()
    await house.recall.until(lambda: house.recall.stats().is_on)


async def test_a_connection_lost_during_a_look_makes_it_void(db, organization, processes):
    house = await processes()
    look = house.changes._look
    waited = asyncio.Event()

    async def lose():
        house.changes._look = look
        looking = asyncio.create_task(look())
        await asyncio.sleep(0)
        house.changes.lost()
        await looking
        waited.set()

    house.changes._look = lose
    house.changes.wake("1")
    await asyncio.wait_for(waited.wait(), 20)
    assert not house.recall.stats().is_on
    house.changes.wake("")
    await house.recall.until(lambda: house.recall.stats().is_on)


@pytest.mark.new_database
async def test_a_look_reads_by_position(db, organization, superuser_url):
    async with await psycopg.AsyncConnection.connect(superuser_url) as admin:
        await admin.execute(
            "INSERT INTO tidings.outbox (organization_id, topic, event, payload, position, "
            "published_at) SELECT %s, CASE WHEN n %% 10 = 0 THEN 'recall' ELSE 'run:1' END, "
            "'drop', '[\"meeting:1\"]', n, now() FROM generate_series(1, 20000) AS n",
            [organization.organization_id],
        )
        await admin.execute("ANALYZE tidings.outbox")
        body = await admin.execute(
            "SELECT prosrc FROM pg_proc "
            "WHERE oid = 'tidings.recall_drops_v1(bigint, integer)'::regprocedure"
        )
        (source,) = await body.fetchone()
        plan = await admin.execute(
            "EXPLAIN (COSTS OFF) "
            + source.replace("> after", "> 19900").replace("LIMIT max", "LIMIT 500")
        )
        text = "\n".join(row[0] for row in await plan.fetchall())
    assert "outbox_position" in text
    assert "Seq Scan" not in text
