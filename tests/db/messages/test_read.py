"""Lists and search: pages that fit, what is found, and by which index."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tidings.base.cursor import Page
from tidings.base.errors import CursorInvalid, RowMissing
from tidings.base.tenant import Tenant
from tidings.db.queries import Query
from tidings.db.transaction import Database
from tidings.messages.ingest import ingest
from tidings.messages.read import (
    get_message,
    get_thread,
    list_conversations,
    list_messages,
    list_threads,
    search_messages,
    sql,
)

from factories.channels import make_channel
from factories.organizations import Organization, add_member
from factories.said import MONDAY, item

ALL = Page(200, None)


async def test_pages_both_ways(db: Database, organization: Organization) -> None:
    tenant = organization.tenant
    channel_id = await make_channel(db, tenant)
    # Some of the same minute, and not in the order of their times.
    items = [item(n, sent_at=item(n // 2).sent_at.isoformat()) for n in (5, 1, 4, 0, 2, 3)]
    await ingest(db, tenant, channel_id, items)
    pages = {}
    for order in ("newest", "oldest"):
        seen, cursor = [], None
        while True:
            page = await list_messages(db, tenant, channel_id, Page(2, cursor), order=order)
            seen += [one.external_id for one in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        pages[order] = seen
    assert sorted(pages["newest"]) == [f"m{n}" for n in range(6)]
    assert pages["newest"] == pages["oldest"][::-1]
    first = await list_messages(db, tenant, channel_id, Page(2, None))
    with pytest.raises(CursorInvalid):
        await list_messages(db, tenant, channel_id, Page(2, first.next_cursor), order="oldest")


async def test_threads_and_their_messages(db: Database, organization: Organization) -> None:
    tenant = organization.tenant
    channel_id = await make_channel(db, tenant)
    await ingest(db, tenant, channel_id, [item(n, thread_id=f"t{n % 3}") for n in range(9)])
    first = await list_threads(db, tenant, channel_id, Page(2, None))
    rest = await list_threads(db, tenant, channel_id, Page(2, first.next_cursor))
    assert [one.external_id for one in first.items + rest.items] == ["t2", "t1", "t0"]
    thread = await get_thread(db, tenant, first.items[0].id)
    of_it = await list_messages(db, tenant, channel_id, Page(2, None), thread_id=thread.id)
    more = await list_messages(
        db, tenant, channel_id, Page(2, of_it.next_cursor), thread_id=thread.id
    )
    assert [one.external_id for one in of_it.items + more.items] == ["m8", "m5", "m2"]
    one = await get_message(db, tenant, of_it.items[0].id)
    assert (one.external_id, one.position) == ("m8", 9)


async def test_a_cursor_works_where_it_was_handed_out_alone(
    db: Database, organization: Organization
) -> None:
    tenant = organization.tenant
    one, other = await make_channel(db, tenant), await make_channel(db, tenant, name="Other")
    for channel_id in (one, other):
        said = [item(n, f"word {n}", thread_id=f"t{n % 2}") for n in range(6)]
        await ingest(db, tenant, channel_id, said)
    threads = (await list_threads(db, tenant, one, ALL)).items

    async def refused(cursor: str | None, *lists: Callable[[Page], Awaitable[Any]]) -> None:
        assert cursor is not None
        for each in lists:
            with pytest.raises(CursorInvalid):
                await each(Page(1, cursor))

    def messages(channel_id: UUID, thread: int | None = None) -> Callable[[Page], Awaitable[Any]]:
        thread_id = None if thread is None else threads[thread].id
        return partial(list_messages, db, tenant, channel_id, thread_id=thread_id)

    page = await messages(one)(Page(1))
    assert len((await messages(one)(Page(1, page.next_cursor))).items) == 1
    await refused(page.next_cursor, messages(other), messages(one, 0))
    page = await messages(one, 0)(Page(1))
    await refused(page.next_cursor, messages(one), messages(one, 1))
    for lists in (list_threads, list_conversations):
        cursor = (await lists(db, tenant, one, Page(1))).next_cursor
        assert len((await lists(db, tenant, one, Page(1, cursor))).items) == 1
        await refused(cursor, partial(lists, db, tenant, other))
    page = await search_messages(db, tenant, "word", Page(1), channel_id=one)
    await refused(
        page.next_cursor,
        partial(search_messages, db, tenant, "word"),
        partial(search_messages, db, tenant, "word", channel_id=other),
        partial(search_messages, db, tenant, "words", channel_id=one),
    )


async def test_search_finds_and_marks(
    db: Database, organization: Organization, superuser_url: str
) -> None:
    tenant = organization.tenant
    channel_id = await make_channel(db, tenant)
    other = await make_channel(db, tenant, name="Other")
    await ingest(
        db,
        tenant,
        channel_id,
        [
            item(1, "The invoices of April are <b>missing</b>."),
            item(2, "I sent the invoice \ue000to you\ue001."),
            item(3, "Lunch?", subject="Invoicing"),
        ],
    )
    await ingest(db, tenant, other, [item(1, "Another invoice, elsewhere.", sent_at=str(MONDAY))])
    found = await search_messages(db, tenant, "invoice", ALL)
    assert [one.channel_id == channel_id for one in found.items] == [True, True, True, False]
    first = found.items[2]
    assert ("invoices", True) in first.parts
    assert [part for part in found.items[1].parts if part[1]] == [("invoice", True)]
    within = await search_messages(db, tenant, "invoice", ALL, channel_id=channel_id)
    assert len(within.items) == 3
    page = await search_messages(db, tenant, "invoice", Page(2, None))
    rest = await search_messages(db, tenant, "invoice", Page(2, page.next_cursor))
    assert [one.message_id for one in page.items + rest.items] == [
        one.message_id for one in found.items
    ]
    for query, count in (('"sent the"', 1), ("april OR lunch", 2), ("invoice -april", 3), ("&", 0)):
        assert len((await search_messages(db, tenant, query, ALL)).items) == count, query
    colleague = await add_member(superuser_url, organization, "admin")
    assert (await search_messages(db, colleague, "invoice", ALL)).items == []
    served = await search_messages(db, tenant.as_service(), "invoice", ALL)
    assert len(served.items) == 4


async def test_strangers_are_told_nothing(
    db: Database,
    organization: Organization,
    other_organization: Organization,
    superuser_url: str,
) -> None:
    tenant = organization.tenant
    channel_id = await make_channel(db, tenant)
    await ingest(db, tenant, channel_id, [item(1, thread_id="t", body="secret")])
    (message,) = (await list_messages(db, tenant, channel_id, ALL)).items
    assert message.thread_id is not None
    colleague = await add_member(superuser_url, organization, "member")
    admin = await add_member(superuser_url, organization, "admin")
    for stranger in (colleague, admin, other_organization.tenant):
        assert isinstance(stranger, Tenant)
        for way in (
            list_messages(db, stranger, channel_id, ALL),
            list_threads(db, stranger, channel_id, ALL),
            get_message(db, stranger, message.id),
            get_thread(db, stranger, message.thread_id),
        ):
            with pytest.raises(RowMissing):
                await way
        assert (await search_messages(db, stranger, "secret", ALL)).items == []
    assert (
        await search_messages(db, other_organization.tenant.as_service(), "secret", ALL)
    ).items == []


FILL = Query(
    "fill",
    "Fills a channel.",
    """
    INSERT INTO tidings.messages (organization_id, id, channel_id, position, external_id,
        direction, sender_id, body, sent_at, search, thread_id)
    SELECT tidings.current_organization(), tidings.uuid7(), %(channel_id)s, n, 'x' || n, 'in',
        's', 'body', '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 minute',
        to_tsvector('english', 'common word' || n || CASE WHEN n = 7 THEN ' needle' ELSE '' END),
        NULL
    FROM generate_series(1, 8000) AS n
    """,
)


async def plan_of(db: Database, tenant: Tenant, query: Query, **params: object) -> str:
    explained = Query("explained", "Explains.", f"EXPLAIN {query.sql}")
    async with db.tenant_transaction(tenant) as transaction:
        rows = await transaction.fetch(explained, params)
    return "\n".join(str(next(iter(row.values()))) for row in rows)


@pytest.mark.new_database
async def test_lists_and_search_use_their_indexes(
    db: Database, organization: Organization, superuser_url: str
) -> None:
    tenant = organization.tenant
    channel_id = await make_channel(db, tenant)
    async with db.tenant_transaction(tenant) as transaction:
        transaction.queue(FILL, {"channel_id": channel_id})
    async with await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as superuser:
        await superuser.execute("ANALYZE tidings.messages")
        page = {"channel_id": channel_id, "at": MONDAY, "id": channel_id, "limit": 51}
        for query in (sql.list_messages_newest, sql.list_messages_oldest):
            plan = await plan_of(db, tenant, query, **page)
            assert "messages_by_time" in plan, plan
            assert "Sort" not in plan, plan
        plan = await plan_of(db, tenant, sql.list_thread_oldest, **page, thread_id=channel_id)
        assert "messages_by_thread" in plan, plan
        # What runs inside of the function is explained as the function runs it.
        inner = (
            "SELECT m.id FROM tidings.messages AS m WHERE m.organization_id = %s AND "
            "m.channel_id = %s AND m.search @@ websearch_to_tsquery('english', %s) "
            "ORDER BY m.sent_at DESC, m.id DESC LIMIT 21"
        )
        for word, index in (("needle", "messages_search"), ("common", "messages_by_time")):
            rows = await (
                await superuser.execute(
                    f"EXPLAIN {inner}", (tenant.organization_id, channel_id, word)
                )
            ).fetchall()
            assert any(index in row[0] for row in rows), rows
    found = await search_messages(db, tenant, "needle", ALL)
    assert len(found.items) == 1
