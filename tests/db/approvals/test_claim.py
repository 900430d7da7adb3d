"""The claim: hours, caps, gaps and limits, exactly; answers meanwhile; time that ran out."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest_asyncio

from tidings.approvals.due import look_for_due
from tidings.base import clock
from tidings.db.queries import Query

from factories.approvals import make_approved, make_draft, make_sender, set_policy, state_of
from factories.channels import add_messages, make_channel, make_thread
from factories.later import later_databases

SLOTS = Query("slots", "Counts.", "SELECT count(*) FROM tidings.send_slots")
TOMORROW = Query(
    "tomorrow", "Midnight.", "SELECT date_trunc('day', tidings.now(), 'UTC') + interval '1 day'"
)
OPEN = "hours_start = 0, hours_end = 1440"


@pytest_asyncio.fixture
async def at(settings, database_url):
    """The database at a time of day to come, in UTC, so many days from today."""
    today = clock.now()  # of all of them the same, when the test runs at midnight
    async with later_databases(settings, database_url) as later:

        async def at(hour, minute=0, *, days=2):
            then = today.replace(hour=hour, minute=minute, second=2, microsecond=0)
            return await later(then + timedelta(days=days) - clock.now())

        yield at


async def claim(db, settings, organization, approval_id):
    sender = make_sender(db, settings)
    return await sender.claim(
        organization.tenant.as_service(), approval_id, uuid4(), repeatable=False
    )


async def test_within_the_hours_of_the_organizations_zone(
    db, organization, settings, at, superuser_url
):
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("UPDATE tidings.organizations SET time_zone = 'Asia/Kolkata'")
    ids = [await make_approved(db, organization.tenant) for _ in range(3)]
    early, late, open_now = await at(2, 29), await at(12, 30), await at(12, 29)
    before = await claim(early, settings, organization, ids[0])
    assert (before.verdict, before.why) == ("wait", "hours")
    assert (before.until.astimezone(UTC).hour, before.until.minute) == (2, 30)
    after = await claim(late, settings, organization, ids[1])
    assert after.until - before.until == timedelta(days=1)
    assert (await claim(open_now, settings, organization, ids[2])).verdict == "claimed"


async def test_automatic_answers_leave_at_any_hour_where_the_policy_says_so(
    db, organization, settings, at
):
    channel_id = await make_channel(db, organization.tenant)
    (message_id,) = await add_messages(db, organization.tenant, channel_id, [("bo", "Hi?")])
    reply = {
        "type": "message",
        "channel": "chat",
        "to": "bo",
        "message_id": message_id,
        "is_automatic": True,
    }
    night = await at(3)
    first = await make_approved(db, organization.tenant, **reply)
    assert (await claim(night, settings, organization, first)).why == "hours"
    await set_policy(db, organization.tenant, "replies_any_hour = true")
    assert (await claim(night, settings, organization, first)).verdict == "claimed"
    other = await make_approved(db, organization.tenant, channel="chat", type="message")
    assert (await claim(night, settings, organization, other)).why == "hours"


async def test_the_daily_cap_is_exact_however_many_claim(db, organization, settings, at):
    await set_policy(db, organization.tenant, f"{OPEN}, limits = '{{}}', daily_cap = 3")
    ids = [await make_approved(db, organization.tenant) for _ in range(8)]
    noon = await at(12)
    claims = await asyncio.gather(*(claim(noon, settings, organization, one) for one in ids))
    verdicts = [(one.verdict, one.why) for one in claims]
    assert sorted(verdicts, key=str) == [("claimed", None)] * 3 + [("wait", "daily_cap")] * 5
    (until,) = {one.until for one in claims if one.verdict == "wait"}
    async with noon.tenant_batch(organization.tenant) as batch:
        slots, tomorrow = batch.add(SLOTS), batch.add(TOMORROW)
    assert (slots.value(), until) == (3, tomorrow.value())


LIMITS = '{"email": {"per_hour": 2, "per_day": 4, "gap_seconds": 0}}'


async def test_the_limits_of_a_channel_in_any_hour_and_in_a_day(db, organization, settings, at):
    await set_policy(db, organization.tenant, f"{OPEN}, limits = '{LIMITS}'")
    ids = [await make_approved(db, organization.tenant) for _ in range(7)]
    chat = await make_approved(db, organization.tenant, channel="chat", type="message")
    nine, half, ten, later = await at(9), await at(9, 30), await at(10, 1), await at(15)
    assert (await claim(nine, settings, organization, ids[0])).verdict == "claimed"
    assert (await claim(half, settings, organization, ids[1])).verdict == "claimed"
    full = await claim(half, settings, organization, ids[2])
    assert (full.verdict, full.why) == ("wait", "hour_limit")
    assert (full.until.astimezone(UTC).hour, full.until.minute) == (10, 0)
    assert (await claim(half, settings, organization, chat)).verdict == "claimed"
    assert (await claim(ten, settings, organization, ids[2])).verdict == "claimed"
    assert (await claim(ten, settings, organization, ids[3])).why == "hour_limit"
    assert (await claim(later, settings, organization, ids[3])).verdict == "claimed"
    over = await claim(later, settings, organization, ids[4])
    assert (over.why, over.until.astimezone(UTC).hour) == ("day_limit", 0)


async def test_the_smallest_gap_and_those_that_wait_for_it_queue_up(db, organization, settings, at):
    limits = '{"email": {"per_hour": 50, "per_day": 50, "gap_seconds": 30}}'
    await set_policy(db, organization.tenant, f"{OPEN}, limits = '{limits}'")
    ids = [await make_approved(db, organization.tenant) for _ in range(4)]
    claims = await asyncio.gather(*(claim(db, settings, organization, one) for one in ids))
    waits = sorted(one.until for one in claims if one.verdict == "wait")
    assert [one.why for one in claims if one.verdict == "wait"] == ["gap"] * 3
    gaps = [round((b - a).total_seconds()) for a, b in itertools.pairwise(waits)]
    assert gaps == [30, 30]


async def test_a_limit_of_none_stops_a_channel(db, organization, settings):
    limits = '{"email": {"per_hour": 0, "per_day": 5, "gap_seconds": 0}}'
    await set_policy(db, organization.tenant, f"{OPEN}, limits = '{limits}'")
    approval_id = await make_approved(db, organization.tenant)
    assert (await claim(db, settings, organization, approval_id)).why == "hour_limit"


async def test_what_ran_out_is_not_sent(db, organization, settings, at):
    soon = clock.now() + timedelta(hours=1)
    approved = await make_approved(db, organization.tenant, expires_at=soon)
    pending = await make_draft(db, organization.tenant, expires_at=soon)
    noon = await at(12)
    claimed = await claim(noon, settings, organization, approved)
    assert (claimed.verdict, claimed.why) == ("cancelled", "expired")
    await look_for_due(noon)
    assert (await state_of(db, organization.tenant, pending)).status == "expired"


class Talk:
    """A channel with a question, and an answer to it that is approved."""

    def __init__(self, db, tenant):
        self.db = db
        self.tenant = tenant

    async def begin(self, *, threaded):
        self.channel_id = await make_channel(self.db, self.tenant)
        self.thread_id = None
        if threaded:
            self.thread_id = await make_thread(self.db, self.tenant, self.channel_id)
        (self.question,) = await self.said("bo", "Does it ship?")
        self.reply = await make_approved(
            self.db, self.tenant, channel="chat", type="message", to="bo", message_id=self.question
        )
        return self

    async def said(self, sender, body, *, minutes=0, direction="in", thread="same"):
        return await add_messages(
            self.db,
            self.tenant,
            self.channel_id,
            [(sender, body)],
            thread_id=self.thread_id if thread == "same" else thread,
            start=datetime(2026, 3, 2, 12, minutes, tzinfo=UTC),
            direction=direction,
        )

    async def change_last(self, superuser_url, **values):
        with psycopg.connect(superuser_url, autocommit=True) as connection:
            for name, value in values.items():
                connection.execute(
                    f"UPDATE tidings.messages SET {name} = %s WHERE position = "
                    "(SELECT max(position) FROM tidings.messages)",
                    [value],
                )


async def test_a_person_who_answered_meanwhile_is_not_talked_over(db, organization, settings):
    await set_policy(db, organization.tenant)
    for threaded in (True, False):
        talk = await Talk(db, organization.tenant).begin(threaded=threaded)
        await talk.said("ana", "It does.", minutes=5, direction="out")
        claimed = await claim(db, settings, organization, talk.reply)
        assert (claimed.verdict, claimed.why) == ("cancelled", "answered")


async def test_what_is_no_answer_of_a_person_cancels_nothing(
    db, organization, settings, superuser_url
):
    await set_policy(db, organization.tenant)
    talk = await Talk(db, organization.tenant).begin(threaded=True)
    await talk.said("bo", "Hello?", minutes=5)
    await talk.said("us", "We are away.", minutes=6, direction="out")
    await talk.change_last(superuser_url, automatic="own")
    other = await make_thread(db, organization.tenant, talk.channel_id)
    await talk.said("ana", "To Eve.", minutes=7, direction="out", thread=other)
    await talk.change_last(superuser_url, sent_at="2026-03-02T12:07:00Z")
    claimed = await claim(db, settings, organization, talk.reply)
    assert claimed.verdict == "claimed"
    assert claimed.in_reply_to == str(talk.question)


async def test_an_answer_to_the_sender_in_another_thread_counts(
    db, organization, settings, superuser_url
):
    await set_policy(db, organization.tenant)
    talk = await Talk(db, organization.tenant).begin(threaded=True)
    other = await make_thread(db, organization.tenant, talk.channel_id)
    (again,) = await talk.said("bo", "Me again", minutes=4, thread=other)
    await talk.said("ana", "It does.", minutes=5, direction="out", thread=other)
    await talk.change_last(superuser_url, reply_to=str(again))
    assert (await claim(db, settings, organization, talk.reply)).why == "answered"


async def test_of_two_answers_to_one_message_one_leaves(db, organization, settings):
    await set_policy(db, organization.tenant)
    talk = await Talk(db, organization.tenant).begin(threaded=True)
    second = await make_approved(
        db, organization.tenant, channel="chat", type="message", to="bo", message_id=talk.question
    )
    assert (await claim(db, settings, organization, second)).verdict == "claimed"
    assert (await claim(db, settings, organization, talk.reply)).why == "answered"
