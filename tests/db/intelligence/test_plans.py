"""The hot reads take an index, in tables full of other channels."""

import re
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from tidings.base import clock
from tidings.base.ids import uuid7
from tidings.db.queries import Query
from tidings.intelligence.read import CONTEXT, OF_THREAD, PAGE, sql

from factories.channels import make_thread

pytestmark = pytest.mark.new_database


@pytest.fixture
async def crowded(channel) -> UUID:
    """Twenty channels with 300 messages, a reading and a hundred past ones each."""
    await channel.rows(
        """
        WITH made AS (
            INSERT INTO tidings.channels (organization_id, id, name, kind, last_position)
            SELECT %s, gen_random_uuid(), 'c' || n, 'chat', 300 FROM generate_series(1, 20) AS n
            RETURNING organization_id, id
        ), joined AS (
            INSERT INTO tidings.channel_members (organization_id, channel_id, user_id)
            SELECT organization_id, id, %s FROM made
        ), said AS (
            INSERT INTO tidings.messages (organization_id, id, channel_id, position, external_id,
                direction, sender_id, body, sent_at, search)
            SELECT m.organization_id, gen_random_uuid(), m.id, n, n::text, 'in', 'ana', 'Hello',
                tidings.now() - n * interval '1 minute', ''
            FROM made AS m CROSS JOIN generate_series(1, 300) AS n
        ), current AS (
            INSERT INTO tidings.conversation_intelligence (organization_id, channel_id, position,
                current_sentiment, sentiment_score, engagement_trend, open_questions)
            SELECT organization_id, id, 490, 'negative', -0.5, 'declining',
                jsonb_build_array(jsonb_build_object('asked_at', tidings.now(), 'asked_by', 'Ana',
                    'quote', 'Why?', 'message_id', id))
            FROM made RETURNING organization_id, channel_id
        ), past AS (
            INSERT INTO tidings.sentiment_history (organization_id, channel_id, id, sentiment,
                score, position, engine, as_of, read_at)
            SELECT c.organization_id, c.channel_id, gen_random_uuid(), 'neutral', 0, n, 'local',
                tidings.now(), tidings.now() - n * interval '1 hour'
            FROM current AS c CROSS JOIN generate_series(1, 100) AS n
        )
        INSERT INTO tidings.topic_detection_history (organization_id, channel_id, topic_key, topic,
            first_detected_at, last_mentioned_at, confidence)
        SELECT c.organization_id, c.channel_id, n::text, n::text, tidings.now(), tidings.now(), 1
        FROM current AS c CROSS JOIN generate_series(1, 50) AS n
        """,
        channel.tenant.organization_id,
        channel.tenant.user_id,
    )
    await channel.rows(
        "ANALYZE tidings.messages, tidings.conversation_intelligence, tidings.sentiment_history, "
        "tidings.topic_detection_history, tidings.channel_members, tidings.channels"
    )
    (row,) = await channel.rows(
        "SELECT channel_id FROM tidings.conversation_intelligence ORDER BY channel_id LIMIT 1"
    )
    return row["channel_id"]


async def plan(database_url: str, tenant, query: Query, params: dict) -> str:
    """How one statement runs, as its role."""
    who = {
        "organization_id": tenant.organization_id,
        "user_id": tenant.user_id,
        "role": tenant.role,
    }
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        for name, value in who.items():
            await connection.execute(
                "SELECT set_config(%s, %s, true)", [f"tidings.{name}", str(value)]
            )
        found = await connection.execute("EXPLAIN (ANALYZE, COSTS OFF) " + query.sql, params)
        return "\n".join(line for (line,) in await found.fetchall())


async def test_the_hot_reads_use_their_indexes(channel, crowded, database_url):
    page = {"channel_id": crowded, "days": 7, "limit": 51, "before_at": None}
    cases = [
        (
            channel.service,
            sql.messages_to_read,
            {
                "channel_id": crowded,
                "after": 290,
                "limit": PAGE,
                "context": CONTEXT,
                "of_thread": OF_THREAD,
            },
            ["messages_organization_id_channel_id_position_key", "messages_pkey"],
        ),
        (
            channel.service,
            sql.last_messages,
            {"channel_id": crowded, "position": 300, "limit": 60},
            ["messages_organization_id_channel_id_position_key"],
        ),
        (
            channel.tenant,
            sql.sentiment_readings,
            {**page, "before_id": uuid7()},
            ["sentiment_history_by_time"],
        ),
        (channel.tenant, sql.topics_of, {**page, "after_key": None}, ["topics_by_time"]),
    ]
    for tenant, query, params, indexes in cases:
        found = await plan(database_url, tenant, query, params)
        for index in indexes:
            assert index in found, found
        assert "Seq Scan on messages" not in found, found
        assert "Seq Scan on sentiment_history" not in found, found
        assert "Seq Scan on topic_detection_history" not in found, found


async def test_a_thread_that_waits_to_be_read_is_not_walked_through(channel, database_url):
    """A thousand pages of one thread would else cost a thousand times the whole thread."""
    thread = await make_thread(channel.db, channel.tenant, channel.id)
    now = clock.now()
    await channel.say(*[("Ana", "Hello")] * 1500, thread_id=thread, start=now - timedelta(days=2))
    await channel.say(*[("Bo", "Earlier")] * 50, thread_id=thread, start=now - timedelta(days=9))
    await channel.rows("ANALYZE tidings.messages")
    sizes = {"limit": 10, "context": CONTEXT, "of_thread": OF_THREAD}
    for after in (700, 1505):
        params = {"channel_id": channel.id, "after": after, **sizes}
        found = await plan(database_url, channel.service, sql.messages_to_read, params)
        looked = re.findall(r"messages_by_thread on messages.* rows=([\d.]+) loops=(\d+)", found)
        assert looked, found
        dropped = [int(rows) for rows in re.findall(r"Rows Removed by Filter: (\d+)", found)]
        seen = sum(dropped) + sum(float(rows) * int(loops) for rows, loops in looked)
        assert seen <= 16 * OF_THREAD, found
        async with channel.db.tenant_transaction(channel.service) as transaction:
            rows = await transaction.fetch(sql.messages_to_read, params)
        assert sum(not row["is_new"] for row in rows) == CONTEXT  # those of the thread among them
        assert [row["position"] for row in rows if row["is_new"]] == [*range(after + 1, after + 11)]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("worst_sentiment", "intelligence_by_sentiment"),
        ("fastest_declining", "intelligence_declining"),
        ("oldest_unanswered", "intelligence_unanswered"),
    ],
)
async def test_the_overview_reads_what_it_shows(channel, database_url, superuser_url, query, index):
    """Among channels that need nobody, most of them: the partial indexes hold the rest alone."""
    await channel.rows(
        """
        WITH made AS (
            INSERT INTO tidings.channels (organization_id, id, name, kind)
            SELECT %s, gen_random_uuid(), 'c' || n, 'chat' FROM generate_series(1, 2000) AS n
            RETURNING organization_id, id)
        INSERT INTO tidings.conversation_intelligence (organization_id, channel_id, open_questions,
            current_sentiment, sentiment_score, engagement_trend)
        SELECT organization_id, id,
            CASE WHEN lucky THEN jsonb_build_array(jsonb_build_object('asked_at', tidings.now()))
                ELSE '[]' END,
            CASE WHEN lucky THEN 'negative' ELSE 'neutral' END, -0.5,
            CASE WHEN lucky THEN 'declining' ELSE 'stable' END
        FROM (SELECT *, random() < 0.02 AS lucky FROM made) AS m
        """,
        channel.tenant.organization_id,
    )
    await channel.rows("ANALYZE tidings.conversation_intelligence, tidings.channels")
    found = await plan(database_url, channel.tenant, getattr(sql, query), {"limit": 10})
    assert index in found, found
