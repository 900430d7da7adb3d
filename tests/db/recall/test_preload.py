"""New meetings of every organization are read before anybody asks, the newest first."""

import psycopg
import pytest

from tidings.meetings.capture import capture, decode_items
from tidings.meetings.recalled import preload_meetings
from tidings.recall.cache import Recall

from factories.meetings import meeting, utterances

OLD = "0190b0a0-0000-7000-8000-000000000000"
"""An id of a summer long ago."""


@pytest.fixture
def recall():
    recall = Recall(100, 60)
    recall.turn_on()
    return recall


async def take(db, tenant, *raw):
    items, errors = decode_items(raw)
    assert errors == []
    await capture(db, tenant, "api", items)


def held(recall):
    return recall.stats().size


async def test_it_reads_the_newest_of_all_organizations_that_fit(
    db, organization, other_organization, recall, superuser_url
):
    await take(db, organization.tenant, meeting(1), meeting(2))
    long = utterances(*(f"Word {n} of a long meeting." for n in range(100)))
    await take(db, other_organization.tenant, meeting(3, said=long))
    async with await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as admin:
        await admin.execute(
            "INSERT INTO tidings.meetings (organization_id, id, source, external_id, title, "
            "started_at, content_hash, item_hash) "
            "VALUES (%s, %s, 'api', 'x', 'Old', now(), '', '')",
            [organization.organization_id, OLD],
        )
    preload = preload_meetings(db)
    await preload(recall, 2)
    assert held(recall) == 0  # the newest does not fit, and those before it are less likely asked
    await preload(recall, 4)
    assert (held(recall), recall.stats().weight) == (2, 4)
    await preload(recall, 50)
    assert (held(recall), recall.stats().weight) == (3, 5)
    loads = recall.stats().loads
    await preload(recall, 50)
    assert recall.stats().loads == loads


@pytest.mark.new_database
async def test_it_looks_at_the_new_ones_alone(db, organization, superuser_url):
    async with await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as admin:
        await admin.execute(
            "INSERT INTO tidings.meetings (organization_id, id, source, external_id, title, "
            "started_at, content_hash, item_hash) SELECT %s, overlay(%s::text PLACING "
            "lpad(to_hex(n), 12, '0') FROM 25)::uuid, 'api', n, 'Old', now(), '', '' "
            "FROM generate_series(1, 5000) AS n",
            [organization.organization_id, OLD],
        )
        await admin.execute("ANALYZE tidings.meetings")
        read = await admin.execute(
            "SELECT prosrc FROM pg_proc "
            "WHERE oid = 'tidings.recent_meetings_v1(integer)'::regprocedure"
        )
        (source,) = await read.fetchone()
        plan = await admin.execute("EXPLAIN (COSTS OFF) " + source.replace("LIMIT most", "LIMIT 9"))
        text = "\n".join(row[0] for row in await plan.fetchall())
    assert "meetings_pkey" in text
    assert "Seq Scan on meetings" not in text
