"""Taking messages in: once each, in order, in threads, whatever comes at once."""

import asyncio
from typing import Any

import msgspec
import pytest

from tidings.base.cursor import Page
from tidings.base.errors import RowMissing, StateConflict
from tidings.base.settings import Settings
from tidings.db.pools import primary_pool
from tidings.db.queries import Query
from tidings.db.transaction import Database
from tidings.messages.channels import ChannelChange, get_channel, update_channel
from tidings.messages.ingest import AFTER_INGEST, MOST_ITEMS, Ingested, ingest
from tidings.messages.read import list_messages, list_threads
from tidings.queue.jobs import list_jobs

from factories.channels import make_channel
from factories.organizations import Organization, add_member
from factories.said import item
from wire import CountingProxy

ALL = Page(200, None)
POSITIONS = Query(
    "positions",
    "Positions.",
    "SELECT coalesce(array_agg(m.position ORDER BY m.position), '{}') FROM tidings.messages AS m",
)


async def positions(db: Database, organization: Organization) -> list[int]:
    async with db.tenant_transaction(organization.tenant) as transaction:
        found: list[int] = await transaction.value(POSITIONS)
    return found


async def test_a_thousand_at_once_and_again(db: Database, organization: Organization) -> None:
    channel_id = await make_channel(db, organization.tenant)
    items = [item(n) for n in range(MOST_ITEMS)]
    tenant = organization.tenant
    assert await ingest(db, tenant, channel_id, items) == Ingested(MOST_ITEMS, 0)
    assert await ingest(db, tenant, channel_id, items) == Ingested(0, MOST_ITEMS)
    assert await ingest(db, tenant, channel_id, []) == Ingested()
    assert await positions(db, organization) == list(range(1, MOST_ITEMS + 1))
    channel = await get_channel(db, tenant, channel_id)
    assert (channel.last_position, channel.unread) == (MOST_ITEMS, MOST_ITEMS)
    assert channel.last_message_at == items[-1].sent_at
    jobs = await list_jobs(db, tenant, limit=10)
    assert sorted(job.kind for job in jobs) == sorted(AFTER_INGEST)
    assert all(job.args == {"channel_id": str(channel_id), "position": MOST_ITEMS} for job in jobs)


async def test_twice_in_one_batch_is_one(db: Database, organization: Organization) -> None:
    channel_id = await make_channel(db, organization.tenant)
    items = [item(1, "first"), item(2), item(1, "second")]
    assert await ingest(db, organization.tenant, channel_id, items) == Ingested(2, 1)
    found = await list_messages(db, organization.tenant, channel_id, ALL, order="oldest")
    assert next(one.body for one in found.items) == "first"


async def test_the_same_at_once_is_stored_once(db: Database, organization: Organization) -> None:
    channel_id = await make_channel(db, organization.tenant)
    items = [item(n, reply_to=f"m{n - n % 5}") for n in range(60)]
    orders = [items, items[::-1], items[30:] + items[:30], items[::2] + items[1::2]]
    taken = await asyncio.gather(
        *(ingest(db, organization.tenant, channel_id, order) for order in orders)
    )
    assert sum(one.created for one in taken) == 60
    assert sum(one.duplicates for one in taken) == 180
    assert await positions(db, organization) == list(range(1, 61))
    threads = (await list_threads(db, organization.tenant, channel_id, ALL)).items
    assert [thread.messages_count for thread in threads] == [5] * 12


async def test_different_ones_at_once_leave_no_gap(
    db: Database, organization: Organization
) -> None:
    channel_id = await make_channel(db, organization.tenant)
    batches = [[item(n * 100 + m) for m in range(20)] for n in range(6)]
    await asyncio.gather(*(ingest(db, organization.tenant, channel_id, batch) for batch in batches))
    assert await positions(db, organization) == list(range(1, 121))


async def test_what_fails_leaves_nothing(db: Database, organization: Organization) -> None:
    channel_id = await make_channel(db, organization.tenant)
    # Only the database knows that this is no message: the code before it would have refused it.
    bad = msgspec.structs.replace(item(2), external_id="")
    with pytest.raises(Exception, match="external_id"):
        await ingest(db, organization.tenant, channel_id, [item(1), bad])
    assert await positions(db, organization) == []
    assert await ingest(db, organization.tenant, channel_id, [item(1)]) == Ingested(1)
    assert await positions(db, organization) == [1]


async def test_threads_grow_over_batches(db: Database, organization: Organization) -> None:
    tenant = organization.tenant
    channel_id = await make_channel(db, tenant)
    await ingest(db, tenant, channel_id, [item(1, subject="Invoices"), item(9)])
    assert (await list_threads(db, tenant, channel_id, ALL)).items == []
    await ingest(db, tenant, channel_id, [item(2, reply_to="m1")])
    await ingest(db, tenant, channel_id, [item(3, reply_to="m2"), item(4, reply_to="m1")])
    (thread,) = (await list_threads(db, tenant, channel_id, ALL)).items
    assert (thread.subject, thread.messages_count, thread.last_position) == ("Invoices", 4, 5)
    assert thread.last_sender == "Ada Sorensen"
    whole = await list_messages(db, tenant, channel_id, ALL, thread_id=thread.id, order="oldest")
    assert [one.external_id for one in whole.items] == ["m1", "m2", "m3", "m4"]
    assert (thread.first_message_at, thread.last_message_at) == (
        whole.items[0].sent_at,
        whole.items[-1].sent_at,
    )


async def test_a_thread_waits_for_its_first_message(
    db: Database, organization: Organization
) -> None:
    tenant = organization.tenant
    channel_id = await make_channel(db, tenant)
    headers: dict[str, Any] = {"References": "<m1> <m2>", "In-Reply-To": "<m2>"}
    await ingest(db, tenant, channel_id, [item(3, headers=headers)])
    await ingest(db, tenant, channel_id, [item(2, headers={"in-reply-to": "<m1>"})])
    await ingest(db, tenant, channel_id, [item(1)])
    (thread,) = (await list_threads(db, tenant, channel_id, ALL)).items
    assert thread.messages_count == 3
    found = await list_messages(db, tenant, channel_id, ALL, order="oldest")
    assert [one.reply_to for one in found.items] == [None, "m1", "m2"]


async def test_the_sources_threads_stand(db: Database, organization: Organization) -> None:
    tenant = organization.tenant
    channel_id = await make_channel(db, tenant)
    await ingest(db, tenant, channel_id, [item(n, thread_id=f"t{n % 2}") for n in range(6)])
    await ingest(db, tenant, channel_id, [item(6, thread_id="t0")])
    threads = (await list_threads(db, tenant, channel_id, ALL)).items
    assert {(one.external_id, one.messages_count) for one in threads} == {("t0", 4), ("t1", 3)}


async def test_who_may_take_in(
    db: Database, organization: Organization, superuser_url: str
) -> None:
    tenant = organization.tenant
    channel_id = await make_channel(db, tenant)
    other = await make_channel(db, tenant, name="Other")
    for role in ("admin", "member"):
        stranger = await add_member(superuser_url, organization, role)
        with pytest.raises(RowMissing):
            await ingest(db, stranger, channel_id, [item(1)])
    await update_channel(db, tenant, other, ChannelChange(archived=True))
    with pytest.raises(StateConflict):
        await ingest(db, tenant, other, [item(1)])
    assert (await ingest(db, tenant.as_service(), channel_id, [item(1)])).created == 1
    assert await ingest(db, tenant, channel_id, [item(1)]) == Ingested(0, 1)


async def test_a_batch_costs_two_round_trips(
    settings: Settings,
    database_url: str,
    cluster: Any,
    wire: CountingProxy,
    organization: Organization,
) -> None:
    counted = Database(
        primary_pool(
            settings.model_copy(update={"pool_primary_min": 1, "pool_primary_max": 1}),
            wire.url(database_url, cluster.cluster.socket_dir),
        )
    )
    await counted.open()
    try:
        channel_id = await make_channel(counted, organization.tenant)
        costs = []
        for size in (1, 1000):
            batch = [item(size + n, reply_to=f"m{size}") for n in range(size)]
            wire.reset()
            await ingest(counted, organization.tenant, channel_id, batch)
            costs.append(wire.trips)
        assert costs == [2, 2]
    finally:
        await counted.close()
