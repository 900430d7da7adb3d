"""The key of an answer and the rows behind it: never stale, never another's, never half."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from tidings.ai.gateway import Gateway
from tidings.base.cursor import Page
from tidings.base.errors import TidingsError
from tidings.base.ids import uuid7
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.db.queries import Query, load_queries
from tidings.db.transaction import Database
from tidings.summaries.ask import Question
from tidings.summaries.messages import gather
from tidings.summaries.read import get_summary, list_summaries
from tidings.summaries.record import Content
from tidings.summaries.sample import load_summaries_sample
from tidings.summaries.start import Plan, look_up
from tidings.summaries.sweep import sweep_summaries
from tidings.summaries.windows import WINDOW_MESSAGES, windows
from tidings.tenancy.secret_keys import load_secret_keys

from factories.channels import NOON, add_messages, make_channel, make_thread
from factories.organizations import Organization, add_member

sql = load_queries("tidings.summaries")
EDITION = "local/1/1"
CONTENT = msgspec.json.encode(Content(summary_text="Something was said.")).decode()
JOIN = Query(
    "join_channel",
    "Joins.",
    "INSERT INTO tidings.channel_members (organization_id, channel_id, user_id) VALUES "
    "(tidings.current_organization(), %(channel_id)s, %(user_id)s)",
)


async def join(db: Database, owner: Tenant, channel_id: UUID, tenant: Tenant) -> None:
    async with db.tenant_transaction(owner) as transaction:
        transaction.queue(JOIN, {"channel_id": channel_id, "user_id": tenant.user_id})


async def keep(
    db: Database, tenant: Tenant, question: Question, plan: Plan, summary_id: UUID | None = None
) -> UUID:
    """A summary under its key, as the job of this user writes it."""
    summary_id = summary_id or uuid7()
    is_personal = question.type in ("catch_up", "daily_digest")
    thread_of = plan.spans[0].channel_id if question.thread_id else None
    async with db.tenant_transaction(tenant.as_service()) as transaction:
        transaction.queue(
            sql.insert_summary,
            {
                "id": summary_id,
                "type": question.type,
                "channel_id": question.channel_id or thread_of,
                "thread_id": question.thread_id,
                "user_id": tenant.user_id if is_personal else None,
                "channel_ids": [span.channel_id for span in plan.spans],
                "local_date": question.local_date,
                "timezone": question.timezone,
                "since": None,
                "content": CONTENT,
                "engine": "local",
                "edition": EDITION,
                "run_id": None,
            },
        )
        transaction.queue(sql.cache_answer, {"key": plan.key, "id": summary_id})
    return summary_id


async def test_the_key_is_of_whom_what_and_how_far(
    db: Database, organization: Organization, superuser_url: str
) -> None:
    owner = organization.tenant
    channel_id = await make_channel(db, owner)
    thread_id = await make_thread(db, owner, channel_id)
    await add_messages(db, owner, channel_id, [("Ana", "Hello"), ("Bo", "Hi")], thread_id=thread_id)
    colleague = await add_member(superuser_url, organization, "member")
    await join(db, owner, channel_id, colleague)
    day = {"from_at": NOON - timedelta(hours=12), "until_at": NOON + timedelta(hours=12)}
    shared = [
        Question(type="channel", channel_id=channel_id),
        Question(type="channel", channel_id=channel_id, from_at=NOON),
        Question(type="thread", thread_id=thread_id),
    ]
    own = [Question(type="catch_up"), Question(type="daily_digest", **day)]
    keys = {}
    for question in [*shared, *own]:
        mine = await look_up(db, owner, question, EDITION)
        theirs = await look_up(db, colleague, question, EDITION)
        assert (mine.key == theirs.key) is (question in shared)
        # The job reads as a service for the same user, and finds the same key.
        assert (await look_up(db, owner.as_service(), question, EDITION)).key == mine.key
        assert (await look_up(db, owner, question, "local/2/1")).key != mine.key
        assert [(span.last_position, span.is_empty) for span in mine.spans] == [(2, False)]
        keys[mine.key] = keys[theirs.key] = question
    assert len(keys) == 3 + 2 * 2


async def test_a_summary_is_its_readers_alone(
    db: Database, organization: Organization, other_organization: Organization, superuser_url: str
) -> None:
    owner = organization.tenant
    channel_id = await make_channel(db, owner)
    await add_messages(db, owner, channel_id, [("Ana", "Hello")])
    colleague = await add_member(superuser_url, organization, "member")
    admin = await add_member(superuser_url, organization, "admin")
    await join(db, owner, channel_id, colleague)
    shared, own = Question(type="channel", channel_id=channel_id), Question(type="catch_up")
    plans = {
        question.type: await look_up(db, owner, question, EDITION) for question in (shared, own)
    }
    ids = [await keep(db, owner, question, plans[question.type]) for question in (shared, own)]
    seen = {
        tenant.role: {one.id for one in (await list_summaries(db, tenant, Page(50))).items}
        for tenant in (owner, colleague, admin)
    }
    assert seen == {"owner": set(ids), "member": {ids[0]}, "admin": set()}
    assert (await list_summaries(db, other_organization.tenant, Page(50))).items == []
    found = await look_up(db, owner, own, EDITION)
    assert found.summary is not None
    assert found.summary.id == ids[1]
    # Even with the very key, another finds nothing.
    for tenant, found_id in ((colleague, None), (owner, ids[1])):
        async with db.tenant_transaction(tenant) as transaction:
            assert await transaction.value(GET_CACHED, {"key": plans["catch_up"].key}) == found_id


GET_CACHED = Query("get", "Gets.", "SELECT tidings.get_cached_summary(%(key)s)")
WRITES = {
    "cache": "INSERT INTO tidings.summary_cache (organization_id, key, kind, value, expires_at) "
    "VALUES (tidings.current_organization(), repeat('0', 64), 'window', '{}', tidings.now())",
    "insert": "INSERT INTO tidings.conversation_summaries (organization_id, id, type, user_id, "
    "summary_text, engine) VALUES (tidings.current_organization(), tidings.uuid7(), 'catch_up', "
    "tidings.acting_user(), 'x', 'local')",
    "update": "UPDATE tidings.conversation_summaries SET summary_text = 'x'",
}


@pytest.mark.parametrize("statement", WRITES.values(), ids=WRITES)
async def test_nobody_but_a_service_writes(
    db: Database, organization: Organization, statement: str
) -> None:
    with pytest.raises(TidingsError):
        async with db.tenant_transaction(organization.tenant) as transaction:
            transaction.queue(Query("write", "Writes.", statement))


async def test_a_writer_and_readers_at_once_never_meet_a_stale_answer(
    db: Database, organization: Organization
) -> None:
    """Whoever asks after a message was taken in is never answered from before it."""
    tenant = organization.tenant
    channel_id = await make_channel(db, tenant)
    question = Question(type="channel", channel_id=channel_id)
    committed = 0
    read_of: dict[UUID, int] = {}

    async def write() -> None:
        nonlocal committed
        for n in range(12):
            await add_messages(db, tenant, channel_id, [("Ana", f"Message {n}")])
            committed = n + 1

    async def read() -> int:
        hits = 0
        while committed < 12:
            known = committed
            plan = await look_up(db, tenant, question, EDITION)
            if plan.summary is not None:
                assert read_of[plan.summary.id] >= known
                hits += 1
            elif not plan.spans[0].is_empty:
                gathered = await gather(db, tenant, question, plan.spans)
                assert len(gathered.messages) == plan.spans[0].last_position
                made = uuid7()
                read_of[made] = len(gathered.messages)
                await keep(db, tenant, question, plan, made)
        return hits

    await asyncio.gather(write(), read(), read())
    plan = await look_up(db, tenant, question, EDITION)
    assert plan.summary is None or read_of[plan.summary.id] == 12


async def test_people_who_ask_at_once_each_get_their_own(
    db: Database, organization: Organization, superuser_url: str
) -> None:
    owner = organization.tenant
    channel_id = await make_channel(db, owner)
    await add_messages(db, owner, channel_id, [("Ana", "Hello")])
    people = [owner, *[await add_member(superuser_url, organization, "member") for _ in range(3)]]
    for person in people[1:]:
        await join(db, owner, channel_id, person)
    day = {"from_at": NOON - timedelta(hours=12), "until_at": NOON + timedelta(hours=12)}
    questions = [
        Question(type="catch_up", from_at=NOON),
        Question(type="daily_digest", local_date=NOON.date(), timezone="UTC", **day),
    ]

    async def ask(person: Tenant) -> int:
        mine: set[UUID] = set()
        hits = 0
        for turn in range(8):
            question = questions[turn % 2]
            plan = await look_up(db, person, question, EDITION)
            if plan.summary is None:
                mine.add(await keep(db, person, question, plan))
            else:
                assert plan.summary.id in mine
                hits += 1
        return hits

    assert await asyncio.gather(*map(ask, people)) == [6] * len(people)


async def test_what_has_expired_is_gone_and_swept(
    db: Database, organization: Organization, superuser_url: str
) -> None:
    tenant = organization.tenant
    channel_id = await make_channel(db, tenant)
    await add_messages(db, tenant, channel_id, [("Ana", "Hello")])
    question = Question(type="channel", channel_id=channel_id)
    summary_id = await keep(db, tenant, question, await look_up(db, tenant, question, EDITION))
    assert await sweep_summaries(db) == 0
    with psycopg.connect(superuser_url) as connection:
        (kept,) = connection.execute(
            "SELECT expires_at - generated_at FROM tidings.conversation_summaries"
        ).fetchone()
        assert kept == timedelta(days=30)
        connection.execute("UPDATE tidings.summary_cache SET expires_at = tidings.now()")
    assert (await look_up(db, tenant, question, EDITION)).summary is None
    assert await sweep_summaries(db, batch=1) == 1
    assert (await get_summary(db, tenant, summary_id)).id == summary_id
    with psycopg.connect(superuser_url) as connection:
        connection.execute("UPDATE tidings.conversation_summaries SET expires_at = tidings.now()")
    assert (await list_summaries(db, tenant, Page(50))).items == []
    assert await sweep_summaries(db) == 1


async def test_pages_of_summaries_go_back_in_time(db: Database, organization: Organization) -> None:
    tenant = organization.tenant
    channel_id = await make_channel(db, tenant)
    await add_messages(db, tenant, channel_id, [("Ana", "Hello")])
    question = Question(type="channel", channel_id=channel_id)
    plan = await look_up(db, tenant, question, EDITION)
    ids = [await keep(db, tenant, question, plan) for _ in range(3)]
    first = await list_summaries(db, tenant, Page(2))
    second = await list_summaries(db, tenant, Page(2, first.next_cursor))
    assert [one.id for one in [*first.items, *second.items]] == ids[::-1]
    assert second.next_cursor is None


async def test_of_too_many_messages_the_newest_whole_windows_are_read(
    db: Database, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = organization.tenant
    channel_id = await make_channel(db, tenant)
    thread_id = await make_thread(db, tenant, channel_id)
    monkeypatch.setattr("tidings.summaries.windows.MOST_MESSAGES", 200)
    said = [("Ana", f"Message {n}") for n in range(350)]
    await add_messages(db, tenant, channel_id, said, thread_id=thread_id)
    for question in (
        Question(type="channel", channel_id=channel_id),
        Question(type="thread", thread_id=thread_id),
        Question(type="catch_up", from_at=NOON - timedelta(days=1)),
        Question(type="catch_up"),
    ):
        plan = await look_up(db, tenant, question, EDITION)
        gathered = await gather(db, tenant, question, plan.spans)
        assert gathered.left_out == 200, question
        assert [message.body for message in gathered.messages] == [body for _, body in said[200:]]
        assert [len(w.parts) for w in windows(gathered.messages)] == [WINDOW_MESSAGES, 50]


async def test_the_sample_is_of_what_there_is_to_read(
    db: Database, organization: Organization, settings: Settings
) -> None:
    tenant = organization.tenant
    gateway = Gateway(db, settings, load_secret_keys(settings))
    assert await load_summaries_sample(db, gateway, tenant) == []
    channel_id = await make_channel(db, tenant)
    await add_messages(db, tenant, channel_id, [("Ana", "Hello")])
    assert len(await load_summaries_sample(db, gateway, tenant)) == 2
    question = Question(type="channel", channel_id=channel_id)
    await keep(db, tenant, question, await look_up(db, tenant, question, EDITION))
    assert await load_summaries_sample(db, gateway, tenant) == []
    await gateway.close()


async def test_a_day_is_read_to_its_ends(db: Database, organization: Organization) -> None:
    tenant = organization.tenant
    channel_id = await make_channel(db, tenant)
    begins = datetime(2026, 3, 1, 23, tzinfo=UTC)  # midnight in Oslo
    for moment in (-1, 0, 3600, 86399, 86400):
        at = begins + timedelta(seconds=moment)
        await add_messages(db, tenant, channel_id, [("Ana", f"{moment}")], start=at)
    question = Question(
        type="daily_digest", from_at=begins, until_at=begins + timedelta(days=1), timezone="x"
    )
    plan = await look_up(db, tenant, question, EDITION)
    gathered = await gather(db, tenant, question, plan.spans)
    assert [message.body for message in gathered.messages] == ["0", "3600", "86399"]
    # What comes later does not make the day anew; what comes late does.
    for at, is_same in ((begins + timedelta(days=2), True), (begins, False)):
        await add_messages(db, tenant, channel_id, [("Ana", "Late")], start=at)
        again = await look_up(db, tenant, question, EDITION)
        assert (again.key == plan.key) is is_same


@trying(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(moves=st.lists(st.sampled_from(["write", "keep", "ask"]), max_size=12))
async def test_an_answer_is_of_every_message_or_there_is_none(
    db: Database, organization: Organization, moves: list[str]
) -> None:
    tenant = organization.tenant
    channel_id = await make_channel(db, tenant)
    question = Question(type="catch_up", channel_id=channel_id)
    written, kept = 0, None
    for move in [*moves, "ask"]:
        if move == "write":
            await add_messages(db, tenant, channel_id, [("Ana", "Hello")])
            written += 1
        elif move == "keep":
            plan = await look_up(db, tenant, question, EDITION)
            kept = (await keep(db, tenant, question, plan), written)
        else:
            found = (await look_up(db, tenant, question, EDITION)).summary
            expected = kept[0] if kept and kept[1] == written else None
            assert (found and found.id) == expected
