"""What the tables hold by themselves: history, policies, retention, and the SQL functions."""

import json
import random
from datetime import UTC, datetime, timedelta

import pytest

from tidings.base import clock
from tidings.base.cursor import Page
from tidings.base.errors import RowMissing, TidingsError
from tidings.db.queries import Query
from tidings.intelligence.decide import engagement_score, trend
from tidings.intelligence.show import get_intelligence, get_overview, list_readings, list_topics
from tidings.intelligence.sweep import refresh_trends, sweep_intelligence

from factories.channels import make_channel
from factories.later import later_databases
from factories.organizations import add_member

TABLES = ("conversation_intelligence", "sentiment_history", "topic_detection_history")
TREND = Query(
    "trend",
    "The trend of figures.",
    "SELECT t.* FROM tidings.engagement_trend_of(%(activity)s::jsonb, %(answers)s::jsonb, "
    "%(first)s, %(at)s) AS t",
)
SCORE = Query(
    "score",
    "A score.",
    "SELECT tidings.engagement_score(%(messages)s, %(most)s, %(seen)s, %(at)s) AS score",
)
ALIKE = """
    WITH made AS (
        INSERT INTO tidings.channels (organization_id, id, name, kind)
        SELECT i.organization_id, gen_random_uuid(), 'c' || n, 'chat'
        FROM tidings.conversation_intelligence AS i CROSS JOIN generate_series(1, 2) AS n
        RETURNING organization_id, id)
    INSERT INTO tidings.conversation_intelligence (organization_id, channel_id, activity,
        first_message_at, last_message_at)
    SELECT m.organization_id, m.id, i.activity, i.first_message_at, i.last_message_at
    FROM tidings.conversation_intelligence AS i CROSS JOIN made AS m
"""
"""Two more channels that were spoken in at the same times."""
COUNTS = Query(
    "counts",
    "Counts what is seen.",
    "SELECT (SELECT count(*) FROM tidings.conversation_intelligence) AS current, "
    "(SELECT count(*) FROM tidings.sentiment_history) AS readings, "
    "(SELECT count(*) FROM tidings.topic_detection_history) AS topics",
)


async def test_the_last_50_readings_are_kept_newest_first(channel):
    await channel.say(("Ana", "Thanks."))
    await channel.read()
    await channel.rows(
        "DO $$ BEGIN FOR n IN 2..60 LOOP UPDATE tidings.conversation_intelligence"
        " SET analysis_count = n, sentiment_score = n / 100.0, sentiment_history = '[]'; "
        "END LOOP; END $$"
    )
    shown = await channel.shown()
    assert [reading.score for reading in shown.sentiment_history] == [
        n / 100 for n in range(60, 10, -1)
    ]
    await channel.rows(
        "UPDATE tidings.conversation_intelligence SET current_sentiment = 'mixed'"
    )  # no reading
    assert (await channel.shown()).sentiment_history == shown.sentiment_history
    assert len(await channel.rows("SELECT 1 FROM tidings.sentiment_history")) == 60


async def test_the_first_reading_is_in_its_history(channel):
    await channel.say(("Ana", "Thanks, great."))
    await channel.read()
    (reading,) = (await channel.shown()).sentiment_history
    assert (reading.sentiment, reading.position) == ("positive", 1)


async def test_members_of_the_channel_read_and_services_write(
    channel, organization, other_organization, superuser_url
):
    await channel.say(("Ana", "The invoices are late, when will they come?"))
    await channel.read()

    async def seen(tenant):
        async with channel.db.tenant_batch(tenant) as batch:
            found = batch.add(COUNTS)
        return tuple(found.one().values())

    member = await add_member(superuser_url, organization, "member")
    admin = await add_member(superuser_url, organization, "admin")
    everything = await seen(channel.tenant)
    assert everything[:2] == (1, 1)
    assert everything[2] > 0
    assert await seen(channel.service) == everything
    for stranger in (member, admin, other_organization.tenant):
        assert await seen(stranger) == (0, 0, 0)
        with pytest.raises(RowMissing):
            await get_intelligence(channel.db, stranger, channel.id)
        for listed in (list_readings, list_topics):
            with pytest.raises(RowMissing):
                await listed(channel.db, stranger, channel.id, Page(), days=7)
        overview = await get_overview(channel.db, stranger)
        assert overview.worst_sentiment == []
        assert overview.oldest_unanswered == []
    for table in TABLES:
        for statement in (
            f"UPDATE tidings.{table} SET channel_id = channel_id",
            f"DELETE FROM tidings.{table}",
        ):
            async with channel.db.tenant_transaction(channel.tenant) as transaction:
                assert await transaction.execute(Query("try", "Try.", statement)) == 0
        with pytest.raises(TidingsError):
            async with channel.db.tenant_transaction(channel.tenant) as transaction:
                await transaction.execute(
                    Query(
                        "try", "Try.", f"INSERT INTO tidings.{table} SELECT * FROM tidings.{table}"
                    )
                )


async def test_what_is_old_is_swept(channel, settings, database_url):
    await channel.say(("Ana", "The invoices are late."))
    await channel.read()
    async with later_databases(settings, database_url) as later:
        assert await sweep_intelligence(await later(timedelta(days=59))) == 0
        topics = len(await channel.rows("SELECT 1 FROM tidings.topic_detection_history"))
        assert await sweep_intelligence(await later(timedelta(days=61)), batch=1) == topics
        assert await sweep_intelligence(await later(timedelta(days=91))) == 1
    assert await channel.rows("SELECT 1 FROM tidings.sentiment_history") == []


async def test_scores_are_the_same_in_sql(channel):
    at = datetime(2026, 3, 2, tzinfo=UTC)
    for seconds in (-5, 0, 299, 300, 1799, 1800, 3599, 3600, 86_399, 86_400, 10**7):
        seen = at - timedelta(seconds=seconds)
        async with channel.db.tenant_batch(channel.tenant) as batch:
            found = batch.add(SCORE, {"messages": 3, "most": 7, "seen": seen, "at": at})
        assert found.value() == pytest.approx(engagement_score(3, 7, at - seen))


async def test_trends_are_the_same_in_sql(channel):
    """Figures of many shapes, each judged by both."""
    dice = random.Random(20260302)
    at = datetime(2026, 3, 30, 9, 30, tzinfo=UTC)
    hour = int(at.timestamp() // 3600)
    cases = []
    for _ in range(120):
        days = dice.choice([0.5, 2, 3, 5, 9, 14, 40])
        activity = {
            hour - dice.randrange(400): dice.randrange(1, 9) for _ in range(dice.randrange(60))
        }
        quicker = dice.choice([0.2, 1, 5])
        answers = []
        for _ in range(dice.randrange(60)):
            ago = dice.randrange(340)
            took = dice.randrange(1, 40) * (quicker if ago < 24 * 7 else 1)
            answers.append((at.timestamp() - 3600 * ago, float(took), "in"))
        cases.append((activity, answers, at - timedelta(days=days)))
    async with channel.db.tenant_batch(channel.tenant) as batch:
        asked = [
            batch.add(
                TREND,
                {
                    "activity": json.dumps(activity),
                    "answers": json.dumps(answers),
                    "first": first,
                    "at": at,
                },
            )
            for activity, answers, first in cases
        ]
    seen = set()
    for (activity, answers, first), found in zip(cases, asked, strict=True):
        ours, theirs = trend(activity, answers, first, at), found.one()
        seen.add(ours.trend)
        for name in ours.__struct_fields__:
            assert getattr(ours, name) == pytest.approx(theirs[name]), (name, ours, theirs)
    assert seen == {"increasing", "stable", "declining"}


async def test_a_channel_that_falls_silent_declines_without_a_message(
    channel, settings, database_url
):
    for day in range(14, 0, -1):
        await channel.say(
            *[("Ana", "Good morning."), ("Bo", "Morning.")] * 3,
            start=clock.now() - timedelta(days=day),
        )
    await channel.read()
    assert (await channel.shown()).engagement_trend == "stable"
    async with later_databases(settings, database_url) as later:
        moved = await later(timedelta(days=6))
        assert (await get_intelligence(moved, channel.tenant, channel.id)).engagement_trend == (
            "declining"
        )
        assert (await get_overview(moved, channel.tenant)).fastest_declining == []
        await channel.rows(ALIKE)
        before = moved.trips.total
        assert await refresh_trends(moved, batch=1) == 3
        # Each statement looks at one of the three; the last one finds that there is no other.
        assert moved.trips.total - before == 4
        assert await refresh_trends(moved, batch=2) == 0
        (row,) = (await get_overview(moved, channel.tenant)).fastest_declining
        assert row.channel_id == channel.id
        assert row.engagement_change < -0.7


async def test_the_overview_names_the_worst_and_the_oldest(channel):
    other = await make_channel(channel.db, channel.tenant, name="Sales")
    await channel.say(("Ana", "This is terrible. Who helps?"))
    await channel.read()
    own, channel.id = channel.id, other
    await channel.say(
        ("Cy", "What does it cost?"),
        ("Cy", "The list is attached."),
        start=clock.now() - timedelta(days=3),
    )
    await channel.read()
    overview = await get_overview(channel.db, channel.tenant)
    assert [row.channel_id for row in overview.worst_sentiment] == [own]
    assert [row.channel_name for row in overview.oldest_unanswered] == ["Sales", "Support"]
    assert overview.oldest_unanswered[0].question == "What does it cost?"


async def test_lists_come_in_pages(channel):
    for text in ("The harbour invoice", "The second shipment", "The annual contract"):
        await channel.say(("Ana", text))
        await channel.read()
    seen, cursor = [], None
    while True:
        found = await list_readings(channel.db, channel.tenant, channel.id, Page(2, cursor), days=1)
        seen += [reading.position for reading in found.items]
        if (cursor := found.next_cursor) is None:
            break
    assert seen == [3, 2, 1]
    names, cursor = [], None
    while True:
        found = await list_topics(channel.db, channel.tenant, channel.id, Page(2, cursor), days=1)
        names += [topic.topic for topic in found.items]
        if (cursor := found.next_cursor) is None:
            break
    assert names == ["annual", "contract", "second", "shipment", "harbour", "invoice"]
