"""The job that reads what is new: each message counts once."""

import asyncio
import threading
from datetime import timedelta

import pytest

from tidings.base import clock
from tidings.base.errors import DatabaseUnavailable
from tidings.db.pools import primary_pool
from tidings.db.transaction import Database
from tidings.intelligence.read import READ, REFINE, ReadArgs, Reader
from tidings.intelligence.read import _digest as digest
from tidings.queue.enqueue import NewJob, enqueue

from factories.channels import make_thread


async def test_a_channel_is_read_and_read_on(channel):
    assert (await channel.shown()).analysis_count == 0
    ids = await channel.say(
        ("Ana", "The invoices are broken again, this is terrible."),
        ("Bo", "Sorry! When did it begin?"),
        ("Ana", "On Monday. When will it be fixed?"),
    )
    assert await channel.read() == 3
    first = await channel.shown()
    assert (first.position, first.unread, first.analysis_count, first.message_count) == (3, 0, 1, 3)
    assert first.current_sentiment == "negative"
    assert first.sentiment_evidence[0].message_id == ids[0]
    assert [q.quote for q in first.open_questions] == ["When will it be fixed?"]
    assert first.open_questions[0].asked_by == "Ana"
    assert {p.name: p.messages for p in first.participant_engagement} == {"Ana": 2, "Bo": 1}
    assert {"invoices", "broken"} <= set(first.topic_confidence)
    assert [f.type for f in first.suggested_followups] == ["unanswered_question"]
    assert first.response_times["in"].count == 2
    await channel.say(("Bo", "It is fixed. Thanks for telling us, great work on the invoices."))
    assert await channel.read() == 1
    second = await channel.shown()
    assert second.open_questions == []
    assert second.analysis_count == 2
    assert second.sentiment_score > first.sentiment_score
    assert [r.position for r in second.sentiment_history] == [4, 3]
    (topic,) = await channel.rows(
        "SELECT * FROM tidings.topic_detection_history WHERE topic_key = 'invoices'"
    )
    assert topic["mention_count"] == 2
    assert topic["first_detected_at"] < topic["last_mentioned_at"]
    events = await channel.rows(
        "SELECT event, payload FROM tidings.outbox WHERE topic = %s ORDER BY serial",
        f"channel:{channel.id}",
    )
    assert [(e["event"], e["payload"]["position"]) for e in events] == [
        ("intelligence", 3),
        ("intelligence", 4),
    ]


async def test_what_was_imported_has_a_past_of_days(channel):
    now = clock.now()
    for days in (120, 60, 3, 2, 1):
        for hours in (1, 0):
            when = now - timedelta(days=days, hours=hours)
            await channel.say(("Ana", "This is terrible." if days > 2 else "Great!"), start=when)
    assert await channel.read() == 10
    shown = await channel.shown()
    past = [
        (one.position, round((now - one.as_of) / timedelta(days=1)))
        for one in shown.sentiment_history
    ]
    # What is older than readings are kept is in the first of them, and makes none.
    assert past == [(10, 1), (8, 2), (6, 3), (4, 60)]
    assert shown.analysis_count == 4
    scores = [one.score for one in shown.sentiment_history]
    assert scores[0] > scores[1] > scores[2]
    assert len(await channel.rows("SELECT 1 FROM tidings.sentiment_history")) == 4
    await channel.say(("Ana", "Fine."))
    assert await channel.read() == 1
    assert len((await channel.shown()).sentiment_history) == 5


async def test_what_comes_out_of_order_has_no_past_of_its_own(channel):
    now = clock.now()
    for days in (1, 9, 3, 8, 2):
        await channel.say(("Ana", "Hello"), start=now - timedelta(days=days))
    await channel.read()
    assert (await channel.shown()).analysis_count == 1


async def test_a_repeat_changes_nothing(channel):
    await channel.say(("Ana", "Is anybody there?"))
    await channel.read()
    before = await channel.rows("SELECT * FROM tidings.conversation_intelligence")
    assert await channel.read() == 0
    assert await channel.rows("SELECT * FROM tidings.conversation_intelligence") == before
    assert len(await channel.rows("SELECT 1 FROM tidings.sentiment_history")) == 1


async def test_two_at_once_count_each_message_once(channel):
    await channel.say(*[("Ana", "Shipping is late."), ("Bo", "We ship today.")] * 30)
    small = Reader(channel.db, channel.gateway, page=7)
    taken = await asyncio.gather(*(small.read(channel.service, channel.id) for _ in range(4)))
    assert sum(taken) == 60
    shown = await channel.shown()
    assert (shown.position, shown.message_count) == (60, 60)
    assert sum(p.messages for p in shown.participant_engagement) == 60
    (topic,) = await channel.rows(
        "SELECT mention_count FROM tidings.topic_detection_history WHERE topic_key = 'shipping'"
    )
    assert topic["mention_count"] == 30


async def test_what_is_rolled_back_is_read_again(channel, monkeypatch):
    await channel.say(("Ana", "Thanks!"))

    def lost(*_):
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr("tidings.intelligence.read.tell", lost)
        with pytest.raises(ConnectionError):
            await channel.read()
    assert (await channel.shown()).position == 0
    assert await channel.read() == 1
    assert (await channel.shown()).message_count == 1


async def test_a_connection_killed_in_the_middle_takes_nothing_along(channel, monkeypatch):
    await channel.say(("Ana", "Is it late?"))
    begun, go = threading.Event(), threading.Event()

    def held(locked, messages):
        begun.set()
        go.wait(20)
        return digest(locked, messages)

    with monkeypatch.context() as patched:
        patched.setattr("tidings.intelligence.read._digest", held)
        reading = asyncio.create_task(channel.read())
        await asyncio.to_thread(begun.wait, 20)
        await channel.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'tidings_app' AND datname = current_database()"
        )
        go.set()
        with pytest.raises(DatabaseUnavailable):
            await reading
    assert (await channel.shown()).position == 0
    assert await channel.read() == 1
    shown = await channel.shown()
    assert (shown.message_count, shown.analysis_count, len(shown.open_questions)) == (1, 1, 1)


async def test_an_answer_in_its_thread_comes_from_context(channel):
    one = await make_thread(channel.db, channel.tenant, channel.id)
    two = await make_thread(channel.db, channel.tenant, channel.id)
    await channel.say(("Ana", "Where is the contract?"), thread_id=one)
    await channel.say(("Cy", "Unrelated news."), thread_id=two)
    await channel.read()
    assert len((await channel.shown()).open_questions) == 1
    await channel.say(("Bo", "In your inbox."), thread_id=one, direction="out")
    await channel.read()
    shown = await channel.shown()
    assert shown.open_questions == []
    assert shown.response_times["out"].count == 1


async def test_what_machines_write_says_nothing(channel):
    await channel.say(("Ana", "Terrible, terrible?"))
    await channel.rows("UPDATE tidings.messages SET automatic = 'reply'")
    assert await channel.read() == 1
    shown = await channel.shown()
    assert (shown.position, shown.message_count, shown.open_questions) == (1, 0, [])
    assert shown.current_sentiment == "neutral"


async def test_a_page_costs_three_round_trips(channel, wire, settings, database_url, cluster):
    url = wire.url(database_url, cluster.cluster.socket_dir)
    counted = Database(primary_pool(settings, url))
    await counted.open()
    try:
        trips = []
        for many in (1, 1, 10, 260):
            await channel.say(*[("Ana", "Is the harbour invoice late?"), ("Bo", "No.")] * many)
            wire.reset()
            await Reader(counted, channel.gateway).read(channel.service, channel.id)
            trips.append(wire.trips)
    finally:
        await counted.close()
    assert trips[1:] == [3, 3, 6]  # 520 messages are two pages


async def test_the_job_reads_by_itself_where_there_is_no_provider(channel):
    await channel.say(("Ana", "Hello"))
    context = await _job(channel)
    await channel.reader.run(context, ReadArgs(channel.id, 1))
    assert (await channel.shown()).position == 1
    assert await channel.jobs(REFINE) == []


async def test_a_burst_enqueues_one_question(with_provider):
    channel = with_provider
    for n in range(3):
        await channel.say(("Ana", f"Message {n}"))
        await channel.reader.run(await _job(channel), ReadArgs(channel.id, n + 1))
    (job,) = await channel.jobs(REFINE)
    assert job["run_at"] > job["created_at"]


async def test_a_provider_without_a_key_does_not_stop_the_reading(channel, open_gateway):
    gateway = open_gateway(engine="anthropic:claude-haiku-4-5")
    await channel.say(("Ana", "Hello"))
    await Reader(channel.db, gateway).run(await _job(channel), ReadArgs(channel.id, 1))
    assert (await channel.shown()).position == 1
    assert await channel.jobs(REFINE) == []


async def test_where_ai_is_off_nothing_is_read(channel):
    await channel.rows("UPDATE tidings.organizations SET ai_mode = 'off'")
    await channel.say(("Ana", "Hello"))
    await channel.reader.run(await _job(channel), ReadArgs(channel.id, 1))
    assert (await channel.shown()).position == 0


async def test_a_channel_that_is_gone_is_no_error(channel):
    await channel.say(("Ana", "Hello"))
    await channel.read()
    await channel.rows("DELETE FROM tidings.channels")
    assert await channel.read() == 0
    for table in ("conversation_intelligence", "sentiment_history", "topic_detection_history"):
        assert await channel.rows(f"SELECT 1 FROM tidings.{table}") == []


async def _job(channel):
    async with channel.db.tenant_batch(channel.tenant) as batch:
        enqueue(batch, NewJob(kind=READ, args={"channel_id": channel.id}))
    return await channel.claim(READ)
